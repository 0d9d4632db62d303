/* SPDX-License-Identifier: Apache-2.0 */
/* See textfile.h. */
#include "lib/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = 16 << 20 };

static int read_all(int fd, size_t size, struct arena *a, struct slice *out)
{
    char *p = arena_alloc(a, size + 1);
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, p + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    p[n] = 0;
    *out = (struct slice){p, n};
    return 0;
}

int textfile_read(const char *path, struct arena *a, struct slice *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, WW_ECONFIG, "%s: cannot be read: %s", path, strerror(errno));
    int code = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        code = err_set(err, WW_ECONFIG, "%s: is no file", path);
    else if (st.st_size > FILE_MOST)
        code = err_set(err, WW_ECONFIG, "%s: is larger than 16 MiB", path);
    else if (read_all(fd, (size_t)st.st_size, a, out) < 0)
        code = err_set(err, WW_EIO, "%s: cannot be read: %s", path, strerror(errno));
    close(fd);
    return code;
}

const char *textfile_shipped(struct arena *a, const char *dir, const char *name)
{
    const char *dirs[] = {dir, getenv("WAGEWARN_DATA"), WW_DATADIR, WW_SOURCE_CONFIG};
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        const char *path = dirs[i] && *dirs[i] ? arena_printf(a, "%s/%s", dirs[i], name) : NULL;
        if (path && access(path, R_OK) == 0)
            return path;
    }
    return arena_printf(a, "%s/%s", WW_DATADIR, name);
}

const char *textfile_dir(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return arena_slice(a, (struct slice){path, (size_t)(slash - path) + (slash == path)}).p;
}
