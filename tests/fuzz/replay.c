/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target once over every file of the directories given, and over some mutilations of each, so that a plain
 * build tests what fuzzing has found; with --random N, N inputs of chance after that, the same each time (WAGEWARN_SEED
 * for others). Fails when there is no file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { FILE_MOST = 1 << 20 };

/* A copy of just that size, so that the sanitizer sees a read beyond the end. */
static void run(const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        abort();
    memcpy(copy, p, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void run_file(const char *path, uint8_t *buffer)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t n = fread(buffer, 1, FILE_MOST, f);
    fclose(f);
    run(buffer, n);
    size_t step = n / 64 + 1;
    for (size_t cut = 0; cut < n; cut += step)
        run(buffer, cut);
    for (size_t at = 0; at < n; at += step) {
        uint8_t was = buffer[at];
        for (unsigned turn = 1; turn < 256; turn *= 2) {
            buffer[at] = (uint8_t)(was ^ turn);
            run(buffer, n);
        }
        buffer[at] = was;
    }
}

static void run_chance(unsigned long n)
{
    uint8_t bytes[1024];
    const char *given = getenv("WAGEWARN_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    for (unsigned long i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[k] = (uint8_t)(seed >> 56);
        }
        run(bytes, sizeof bytes / 4 + (size_t)(seed >> 40) % (sizeof bytes * 3 / 4));
    }
}

int main(int argc, char **argv)
{
    static uint8_t buffer[FILE_MOST];
    unsigned files = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--random") == 0 && i + 1 < argc) {
            run_chance(strtoul(argv[++i], NULL, 10));
            continue;
        }
        DIR *d = opendir(argv[i]);
        if (!d) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *e; (e = readdir(d));) {
            char path[4096];
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
            run_file(path, buffer);
            files++;
        }
        closedir(d);
    }
    printf("%u files\n", files);
    return files ? 0 : 1;
}
