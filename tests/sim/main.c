/* SPDX-License-Identifier: Apache-2.0 */
/* sim: so many seeds, each in a process of its own, so that one that dies is told by its number.
 *   sim [--seeds N] [--seed FIRST] [--days D] [--jobs J] [--twice] [--verbose] */
#include "tests/sim/sim.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct plan {
    uint64_t first;
    unsigned seeds, days, jobs;
    bool twice;
};

static void one(uint64_t seed, unsigned days, int tell)
{
    char base[] = "/dev/shm/wagewarn-sim-XXXXXX", elsewhere[] = "/tmp/wagewarn-sim-XXXXXX";
    char *made = mkdtemp(base);
    if (!made)
        made = mkdtemp(elsewhere);
    if (!made)
        sim_fail("no folder for the disk");
    sim_seed(seed);
    disk_open(made);
    days_run(days, SIM_CONFIG);
    disk_finish();
    uint64_t print = sim_fingerprint();
    if (write(tell, &print, sizeof print) != sizeof print)
        sim_fail("write");
}

/* 0: a fingerprint; else the seed failed. */
static int run_apart(uint64_t seed, unsigned days, uint64_t *print)
{
    int tell[2], status = 0;
    if (pipe(tell) != 0)
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(tell[0]);
        one(seed, days, tell[1]);
        exit(0);
    }
    close(tell[1]);
    ssize_t n = read(tell[0], print, sizeof *print);
    close(tell[0]);
    waitpid(child, &status, 0);
    if (n == sizeof *print && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    fprintf(stderr, "seed %llu FAILED; again: sim --seed %llu --seeds 1 --days %u --verbose\n",
            (unsigned long long)seed, (unsigned long long)seed, days);
    return -1;
}

static unsigned run_seeds(const struct plan *p, unsigned job)
{
    unsigned failed = 0;
    for (unsigned i = job; i < p->seeds; i += p->jobs) {
        uint64_t print = 0, again = 0;
        if (run_apart(p->first + i, p->days, &print)) {
            failed++;
            continue;
        }
        if (p->twice && (run_apart(p->first + i, p->days, &again) || print != again)) {
            fprintf(stderr, "seed %llu is not the same run twice\n", (unsigned long long)(p->first + i));
            failed++;
        }
    }
    return failed;
}

static int run_jobs(const struct plan *p)
{
    unsigned failed = 0;
    int status;
    for (unsigned j = 1; j < p->jobs; j++)
        if (fork() == 0)
            exit(run_seeds(p, j) ? 1 : 0);
    failed += run_seeds(p, 0);
    while (wait(&status) > 0)
        failed += status != 0;
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"seeds", 1, NULL, 'n'}, {"seed", 1, NULL, 's'},  {"days", 1, NULL, 'd'},
                                          {"jobs", 1, NULL, 'j'},  {"twice", 0, NULL, 't'}, {"verbose", 0, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    struct plan p = {.first = 1, .seeds = 1, .days = 10, .jobs = 1};
    int got;
    while ((got = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        unsigned long long n = optarg ? strtoull(optarg, NULL, 10) : 0;
        switch (got) {
        case 'n':
            p.seeds = (unsigned)n;
            break;
        case 's':
            p.first = n;
            break;
        case 'd':
            p.days = (unsigned)n;
            break;
        case 'j':
            p.jobs = n ? (unsigned)n : 1;
            break;
        case 't':
            p.twice = true;
            break;
        case 'v':
            sim_verbose = true;
            break;
        default:
            return 2;
        }
    }
    int code = run_jobs(&p);
    if (!code)
        printf("%u seeds of %u days: every promise kept\n", p.seeds, p.days);
    return code;
}
