/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn wait: for scripts that start the daemon and then want to use it. */
#include "cli/output.h"
#include "cli/text.h"
#include "lib/val.h"

#include <time.h>

enum { NAP_MS = 100, WAIT_MS = 30000 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool says_ready(struct cli *cli)
{
    const struct ww_value *status;
    bool ready = false;
    return ww_query(cli->client, "status", NULL, 0, &status) == 0 && val_bool(status, "ready", &ready) == 1 &&
           ready;
}

int cmd_wait(struct cli *cli)
{
    struct ww_options o = {.endpoint = cli->values[O_ENDPOINT], .program = "wagewarn " WW_VERSION};
    int64_t seconds = WAIT_MS / 1000, end;
    if (cli->values[O_TIMEOUT] &&
        (!text_parse_int(cli->values[O_TIMEOUT], &seconds) || seconds < 0 || seconds > INT32_MAX / 1000)) {
        cli_say(tr("\"%s\" is no number of seconds", "“%s”不是秒数"),
                text_safe(&cli->arena, cli->values[O_TIMEOUT]));
        return err_exit_status(WW_EUSAGE);
    }
    for (end = now_ms() + seconds * 1000;;) {
        int64_t left = end - now_ms();
        o.timeout_ms = left > 1 ? (int)left : 1;
        int rc = ww_connect(&cli->client, &o);
        if (rc == 0 && says_ready(cli))
            return 0;
        if (rc != 0 && rc != WW_EUNREACH && rc != WW_EAGAIN)
            return cli_failed(cli, rc);
        if (now_ms() >= end)
            return cli_failed(cli, rc ? rc : WW_EAGAIN);
        ww_disconnect(cli->client);
        cli->client = NULL;
        nanosleep(&(struct timespec){.tv_nsec = NAP_MS * 1000000}, NULL);
    }
}
