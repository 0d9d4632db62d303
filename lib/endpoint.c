/* SPDX-License-Identifier: Apache-2.0 */
/* See endpoint.h. */
#include "lib/endpoint.h"

bool endpoint_is_local(const char *endpoint)
{
    static const char *const hosts[] = {"localhost", "[::1]"};
    if (strncmp(endpoint, "ipc://", 6) == 0)
        return true;
    if (strncmp(endpoint, "tcp://", 6) != 0)
        return false;
    const char *host = endpoint + 6, *colon = strrchr(host, ':');
    size_t n = colon ? (size_t)(colon - host) : strlen(host);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        if (slice_is((struct slice){host, n}, hosts[i]))
            return true;
    return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == n;
}
