/* SPDX-License-Identifier: Apache-2.0 */
/* A complete subscriber: prints each alert event of the regions given as arguments (none: all that may be
 * seen), and keeps its place in a file. Stopped or killed at any moment and started again, it goes on where
 * it was. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <wagewarn.h>

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void print_event(const struct ww_value *event)
{
    const struct ww_value *who = ww_get(event, "enterprise"), *reasons = ww_get(event, "reasons");
    printf("#%" PRIu64 " %s %s: %s\n", ww_uint(ww_get(event, "alert"), 0), ww_str(ww_get(event, "level"), ""),
           ww_str(ww_get(event, "type"), ""), ww_str(ww_get(who, "name"), ww_str(ww_get(who, "uscc"), "")));
    for (size_t i = 0; i < ww_length(reasons); i++)
        printf("    %s\n", ww_str(ww_get(ww_at(reasons, i), "title"), ""));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct ww_options options = {.program = "example subscriber"};
    struct ww_subscription subscription = {.regions = (const char *const *)argv + 1,
                                           .n_regions = (size_t)argc - 1,
                                           .cursor = "subscriber.cursor"};
    struct ww_client *client;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int rc = ww_connect(&client, &options);
    if (rc == WW_OK)
        rc = ww_subscribe(client, &subscription);
    while (rc == WW_OK && !stop) {
        const struct ww_value *event;
        rc = ww_next(client, 1000, &event); /* reconnects by itself; NULL: nothing came in a second */
        if (rc == WW_OK && event) {
            print_event(event);
            rc = ww_done(client,
                         event); /* only now does the place move: shown twice after a crash, never missed */
        }
    }
    if (rc != WW_OK)
        fprintf(stderr, "subscriber: %s\n", ww_message(client));
    ww_disconnect(client);
    return rc == WW_OK ? 0 : 1;
}
