/* SPDX-License-Identifier: Apache-2.0 */
/* REJECT(NAME, number, wire, default sentence): why a signal is not taken. */
REJECT(BAD_FIELD, 1, "bad_field", "a field has the wrong type or an impossible value")
REJECT(MISSING_FIELD, 2, "missing_field", "a field that every signal must have is missing")
REJECT(UNKNOWN_KIND, 3, "unknown_kind", "no such kind of signal; 'wagewarn kinds' lists them")
REJECT(KIND_NOT_ALLOWED, 4, "kind_not_allowed", "this principal may not send this kind")
REJECT(BAD_USCC, 5, "bad_uscc", "not a unified social credit code of GB 32100-2015")
REJECT(NO_ENTERPRISE, 6, "no_enterprise", "neither a code nor a name says which enterprise is meant")
REJECT(BAD_REGION, 7, "bad_region", "not a region code of 6, 9 or 12 digits in a known county")
REJECT(BAD_TIME, 8, "bad_time", "the time is before the year 2000 or more than 24 h ahead")
REJECT(TOO_LARGE, 9, "too_large", "a text or list is longer than the protocol allows")
REJECT(UNKNOWN_CANCEL, 10, "unknown_cancel", "no signal of this source, kind and enterprise has that id")
