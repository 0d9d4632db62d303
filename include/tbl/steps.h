/* SPDX-License-Identifier: Apache-2.0 */
/* ALERT_STATE(NAME, number, wire, zh): what an alert waits for. Numbers are stored. */
ALERT_STATE(OPEN, 1, "open", "待受理")
ALERT_STATE(ACCEPTED, 2, "accepted", "待核实")
ALERT_STATE(VERIFIED, 3, "verified", "待处置")
ALERT_STATE(DISPOSED, 4, "disposed", "待销号")
ALERT_STATE(CLOSED, 5, "closed", "已销号")
