/* SPDX-License-Identifier: Apache-2.0 */
/* LEVEL(NAME, number, wire, zh, colour) in rising order. 0 is "no level". */
LEVEL(NONE, 0, "none", "无", "none")
LEVEL(GENERAL, 1, "general", "一般", "yellow")
LEVEL(MAJOR, 2, "major", "重大", "orange")
LEVEL(CRITICAL, 3, "critical", "特大", "red")
