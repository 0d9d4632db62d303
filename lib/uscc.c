/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/uscc.h"

static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
static const uint8_t weights[USCC_LEN - 1] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};

enum { MODULUS = 31 };
_Static_assert(sizeof alphabet - 1 == MODULUS, "31 characters");

/* One sentence for each check character that may have been expected: static, for callers keep a
 * pointer. */
#define EXPECTED(c) "the check character is wrong: expected " c
static const char *const wrong_check[MODULUS] = {
    EXPECTED("0"), EXPECTED("1"), EXPECTED("2"), EXPECTED("3"), EXPECTED("4"), EXPECTED("5"), EXPECTED("6"),
    EXPECTED("7"), EXPECTED("8"), EXPECTED("9"), EXPECTED("A"), EXPECTED("B"), EXPECTED("C"), EXPECTED("D"),
    EXPECTED("E"), EXPECTED("F"), EXPECTED("G"), EXPECTED("H"), EXPECTED("J"), EXPECTED("K"), EXPECTED("L"),
    EXPECTED("M"), EXPECTED("N"), EXPECTED("P"), EXPECTED("Q"), EXPECTED("R"), EXPECTED("T"), EXPECTED("U"),
    EXPECTED("W"), EXPECTED("X"), EXPECTED("Y"),
};

/* A character's value plus one; 0 is "not in the alphabet". */
#define V(c, v) [c] = (v) + 1
static const uint8_t values[256] = {
    V('0', 0),  V('1', 1),  V('2', 2),  V('3', 3),  V('4', 4),  V('5', 5),  V('6', 6),  V('7', 7),
    V('8', 8),  V('9', 9),  V('A', 10), V('B', 11), V('C', 12), V('D', 13), V('E', 14), V('F', 15),
    V('G', 16), V('H', 17), V('J', 18), V('K', 19), V('L', 20), V('M', 21), V('N', 22), V('P', 23),
    V('Q', 24), V('R', 25), V('T', 26), V('U', 27), V('W', 28), V('X', 29), V('Y', 30),
};
#undef V

static const char *character_fault(unsigned char c)
{
    if (c >= 'a' && c <= 'z')
        return "it has a small letter: codes are written in capitals";
    if (c >= 0x80)
        return "it has a character that is not ASCII, perhaps a full-width one";
    if (c >= 'A' && c <= 'Z')
        return "the letters I, O, S, V and Z are not used in codes";
    return "it has a character that is neither a digit nor a capital letter";
}

const char *uscc_fault(struct slice code)
{
    for (size_t i = 0; i < code.n && i < USCC_LEN; i++)
        if (!values[(unsigned char)code.p[i]])
            return character_fault((unsigned char)code.p[i]);
    if (code.n < USCC_LEN)
        return "it is shorter than 18 characters";
    if (code.n > USCC_LEN)
        return "it is longer than 18 characters";
    unsigned sum = 0;
    for (size_t i = 0; i < USCC_LEN - 1; i++)
        sum += (values[(unsigned char)code.p[i]] - 1u) * weights[i];
    unsigned check = (MODULUS - sum % MODULUS) % MODULUS;
    if (alphabet[check] != code.p[USCC_LEN - 1])
        return wrong_check[check];
    /* Any code but this has a weight that is not zero: the sum of zeros checks by accident. */
    if (memcmp(code.p, "000000000000000000", USCC_LEN) == 0)
        return "it is all zeros: no such registering body";
    return NULL;
}

/* One character at p, width folded and in capitals, if it can be mended: its bytes read go to *used. */
static unsigned char fold(const unsigned char *p, size_t n, size_t *used)
{
    unsigned char c = p[0];
    *used = 1;
    if (c >= 'a' && c <= 'z')
        return (unsigned char)(c - 'a' + 'A');
    if (n >= 2 && c == 0xc2 && p[1] == 0xa0) { /* no-break space */
        *used = 2;
        return ' ';
    }
    if (n < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
        return c;
    unsigned cp = (c & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    if (c == 0xe3 && cp == 0x3000) { /* ideographic space */
        *used = 3;
        return ' ';
    }
    if (c == 0xef && cp >= 0xff01 && cp <= 0xff5e) { /* full-width ASCII */
        *used = 3;
        unsigned char ascii = (unsigned char)(cp - 0xff01 + '!');
        return ascii >= 'a' && ascii <= 'z' ? (unsigned char)(ascii - 'a' + 'A') : ascii;
    }
    return c;
}

size_t uscc_tidy(struct slice raw, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0, used; i < raw.n && n + 1 < cap; i += used) {
        unsigned char c = fold((const unsigned char *)raw.p + i, raw.n - i, &used);
        if (n || (c != ' ' && c != '\t'))
            out[n++] = (char)c;
    }
    while (n && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    if (cap)
        out[n] = 0;
    return n;
}
