/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options, and a command line taken apart by it and by the table of commands. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/cli.h"

/* Fills cli. 0, or the exit status to end with after it has said why (also 0 with cli->command NULL: help or
 * version was asked for and printed). */
int options_parse(struct cli *, int argc, char **argv);

/* Help of the program, or of one command. */
void help_print(const struct command *);

#endif
