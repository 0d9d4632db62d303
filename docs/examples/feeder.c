/* SPDX-License-Identifier: Apache-2.0 */
/* A complete feeder: lines "id code fen" on standard input become signals of one kind; what is refused is
 * printed. Run it again after any failure: a signal is known by its id and counts once, however often it is
 * sent. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wagewarn.h>

enum { BATCH = 1000 };

static struct {
    char id[65], code[19];
} texts[BATCH];

static int send_batch(struct ww_client *client, const struct ww_signal *signals, size_t n)
{
    struct ww_pushed pushed;
    int rc = ww_push(client, signals, n, &pushed); /* comes back when all are on stable storage, or refused */
    if (rc != WW_OK) {
        fprintf(stderr, "feeder: %s\n", ww_message(client));
        return rc;
    }
    for (size_t i = 0; i < pushed.n_rejected; i++)
        printf("refused %s: %s\n", pushed.rejected[i].id, pushed.rejected[i].message);
    printf("accepted %" PRIu64 ", seen before %" PRIu64 "\n", pushed.accepted, pushed.duplicates);
    return 0;
}

int main(void)
{
    static struct ww_signal signals[BATCH];
    struct ww_options options = {.program = "example feeder", .retry_ms = 60000};
    struct ww_client *client;
    char line[256];
    size_t n = 0;
    int rc = ww_connect(&client, &options);
    if (rc != WW_OK)
        fprintf(stderr, "feeder: %s\n", ww_message(client));
    while (rc == WW_OK && fgets(line, sizeof line, stdin)) {
        int64_t fen;
        if (sscanf(line, "%64s %18s %" SCNd64, texts[n].id, texts[n].code, &fen) != 3) {
            printf("not \"id code fen\": %s", line);
            continue;
        }
        signals[n] = (struct ww_signal)WW_SIGNAL_INIT;
        signals[n].id = texts[n].id;
        signals[n].kind = "court.seizure";
        signals[n].at = (int64_t)time(NULL) * 1000;
        signals[n].uscc = texts[n].code;
        signals[n].amount = fen;
        if (++n == BATCH) {
            rc = send_batch(client, signals, n);
            n = 0;
        }
    }
    if (rc == WW_OK && n > 0)
        rc = send_batch(client, signals, n);
    ww_disconnect(client);
    return rc == WW_OK ? 0 : 1;
}
