/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/file.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *fail(struct err *err, const char *path, int why)
{
    err_set(err, why == ENOENT ? WW_ENOTFOUND : WW_EIO, "%s: cannot read: %s", path, strerror(why));
    return NULL;
}

char *file_text(const char *path, size_t most, size_t *n, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, path, errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > most) {
        close(fd);
        err_set(err, WW_EIO, "%s: is no file of at most %zu bytes", path, most);
        return NULL;
    }
    char *text = mem_alloc((size_t)st.st_size + 1);
    ssize_t got;
    *n = 0;
    while (*n < (size_t)st.st_size && (got = read(fd, text + *n, (size_t)st.st_size - *n)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int why = errno;
            close(fd);
            free(text);
            return fail(err, path, why);
        }
        *n += (size_t)got;
    }
    close(fd);
    text[*n] = 0;
    return text;
}

int file_make_dirs(const char *path, struct err *err)
{
    char *copy = mem_strndup(path, strlen(path));
    int rc = 0;
    for (char *p = copy + 1; !rc; p++) {
        if (*p != '/' && *p != 0)
            continue;
        char c = *p;
        *p = 0;
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            rc = err_set(err, WW_EIO, "%s: cannot make this folder: %s", copy, strerror(errno));
        *p = c;
        if (!c)
            break;
    }
    free(copy);
    return rc;
}
