/* SPDX-License-Identifier: Apache-2.0 */
/* gen: a deterministic trace of signals, JSON lines in the shape of PROTOCOL.md's signal map, in order of arrival.
 * The same parameters and seed give the same bytes: no libc random numbers, no libm, no locale, no clock.
 * See bench/README.md for the parameters, the truth file and how to measure with it. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400000.0
#define MAXK 128
#define RING 16384
static const char AL[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
static const char *DIG[] = {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"};
static const struct { const char *code, *word; } IND[] = {
  {"C1810", "制衣"}, {"C1951", "制鞋"}, {"C1922", "箱包"}, {"C2110", "家具"}, {"C2927", "塑料"}, {"C3311", "金属"},
  {"C3484", "机械"}, {"C3857", "电器"}, {"C3360", "电镀"}, {"C1713", "纺织"}, {"C2231", "纸品"}, {"C3670", "汽配"},
  {"E4710", "建筑"}, {"E5011", "装饰"}, {"E4790", "工程"}, {"H6210", "餐饮"}, {"G5430", "货运"}, {"F5212", "商贸"},
  {"L7264", "人力"}, {"O8010", "家政"}, {"K7020", "物业"}, {"R9011", "娱乐"}, {"P8391", "培训"}, {"A0141", "农业"}};
#define NIND (sizeof IND / sizeof *IND)
static const struct { const char *kind; int per; } FREQ[] = {     /* background signals, parts of about ten thousand */
  {"hotline.complaint", 1600}, {"tax.filing_missed", 1400}, {"tax.arrears", 900}, {"utility.bill_overdue", 800},
  {"social.contribution_arrears", 700}, {"tax.sales_plunge", 500}, {"court.enforcement", 450}, {"utility.power_plunge", 350},
  {"market.abnormal_list", 350}, {"market.legal_rep_changed", 300}, {"market.chattel_mortgage", 250}, {"social.headcount_plunge", 200},
  {"court.wage_suit", 180}, {"tax.invoice_stopped", 150}, {"subdistrict.rent_overdue", 150}, {"housing.roster_gap", 150},
  {"bank.loan_overdue", 150}, {"court.dishonest", 120}, {"court.seizure", 120}, {"market.equity_frozen", 120},
  {"market.address_lost", 100}, {"market.simple_deregistration", 100}, {"housing.account_short", 100}, {"labour.notice", 80},
  {"housing.wages_not_paid_out", 80}, {"subdistrict.wage_delay", 80}, {"tax.abnormal_household", 60}, {"hotline.group_complaint", 60},
  {"tax.deregistration_asked", 60}, {"subdistrict.shutdown", 60}, {"subdistrict.layoff", 60}, {"housing.deposit_missing", 60},
  {"housing.progress_pay_overdue", 60}, {"hotline.media", 50}, {"subdistrict.owner_unreachable", 50}, {"subdistrict.relocation", 40},
  {"housing.site_stopped", 40}, {"bank.account_frozen", 30}, {"police.wage_dispute_call", 25}, {"court.auction", 20},
  {"market.licence_revoked", 20}, {"subdistrict.gathering", 20}, {"market.serious_violation", 15}, {"court.bankruptcy", 8},
  {"labour.blacklisted", 4}, {"labour.transferred", 3}, {"police.owner_missing", 3}, {"police.owner_detained", 3}, {"police.fraud_case", 3}};
static const struct { const char *kind; double at; } FALL[] = {   /* how an enterprise fails; at: share of the whole time */
  {"tax.sales_plunge", 0}, {"social.contribution_arrears", .15}, {"utility.power_plunge", .3}, {"subdistrict.rent_overdue", .45},
  {"court.enforcement", .6}, {"court.seizure", .7}, {"subdistrict.wage_delay", .82}, {"hotline.complaint", .88},
  {"hotline.group_complaint", .93}, {"police.owner_missing", 1}};
#define NFALL ((int)(sizeof FALL / sizeof *FALL))
static const char *MEND[] = {"social.contribution_paid", "utility.bill_paid", "tax.settled", "court.released"};
static const char *BAD[] = {"bad_uscc", "unknown_kind", "missing_field", "bad_field", "bad_time", "bad_region", "no_enterprise", "not_json"};
#define NBAD 8

static struct { char name[48], clears[256], clue[32]; int clearing, by, per; } K[MAXK];
static int nk;
static struct { char code[16], name[64]; } R[4096];
static int nr;
typedef struct { double at; uint32_t ent; int16_t kind, step; } plant;

static uint64_t S;
static uint64_t mix(uint64_t z) { z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u; z = (z ^ z >> 27) * 0x94d049bb133111ebu; return z ^ z >> 31; }
static uint64_t rnd(void) { return mix(S += 0x9e3779b97f4a7c15u); }
static double u01(void) { return (double)(rnd() >> 11) * 0x1p-53; }
static uint32_t below(uint32_t n) { return (uint32_t)((rnd() >> 32) * n >> 32); }
/* ln and exp with the four basic operations only, so that every machine has the same bits */
static double ln(double x) {
  int e = 0; while (x >= 1.5) x *= .5, e++; while (x < .75) x *= 2, e--;
  double y = (x - 1) / (x + 1), z = y * y, t = y, s = 0;
  for (int i = 1; i < 40; i += 2, t *= z) s += t / i;
  return 2 * s + e * 0.69314718055994530942;
}
static double ex(double x) {
  int n = 0; while (x > .5 || x < -.5) x *= .5, n++;
  double s = 1, t = 1; for (int i = 1; i < 18; i++) t *= x / i, s += t;
  while (n--) s *= s;
  return s;
}
static double lograng(double lo, double hi) { return lo * ex(u01() * ln(hi / lo)); }

static void die(const char *m, const char *what) { fprintf(stderr, "gen: %s %s\n", m, what ? what : ""); exit(2); }
static int kind(const char *n) { for (int i = 0; i < nk; i++) if (!strcmp(K[i].name, n)) return i; return -1; }
static int need(const char *n) { int k = kind(n); if (k < 0) die("the kinds file lacks", n); return k; }
static void load_kinds(const char *path) {
  FILE *f = fopen(path, "r"); char l[1024]; if (!f) die("cannot open", path);
  if (!fgets(l, sizeof l, f)) die("empty file", path);
  while (nk < MAXK && fgets(l, sizeof l, f)) {                    /* no quoted fields before the last column */
    char *c[9], *p = l; int n = 0; l[strcspn(l, "\r\n")] = 0;
    for (; n < 9 && p; n++) { c[n] = p; p = strchr(p, ','); if (p) *p++ = 0; }
    if (n < 9) continue;
    snprintf(K[nk].name, sizeof K->name, "%.47s", c[0]); snprintf(K[nk].clears, sizeof K->clears, "%.255s", c[7]);
    snprintf(K[nk].clue, sizeof K->clue, "%.31s", c[8]);
    K[nk].clearing = *c[7] != 0; K[nk].by = -1; K[nk].per = strcmp(c[4], "0") != 0; nk++;
  }
  fclose(f);
  for (size_t i = 0; i < sizeof FREQ / sizeof *FREQ; i++) K[need(FREQ[i].kind)].per = FREQ[i].per;
  for (int i = 0; i < nk; i++) { char b[256]; strcpy(b, K[i].clears); for (char *t = strtok(b, " "); t; t = strtok(0, " ")) if (kind(t) >= 0) K[kind(t)].by = i; }
}
static void load_regions(const char *path) {
  static const char *PRE[] = {"3304", "330105", "6205", "6201", "3211"};
  FILE *f = fopen(path, "r"); char l[256], county[64] = ""; if (!f) die("cannot open", path);
  while (fgets(l, sizeof l, f)) {
    char *c = strchr(l, ','); if (!c) continue; *c++ = 0; c[strcspn(c, "\r\n")] = 0;
    if (strlen(l) == 6) snprintf(county, sizeof county, "%.63s", c);
    if (strlen(l) != 9) continue;
    for (int i = 0; i < 5; i++) if (!strncmp(l, PRE[i], strlen(PRE[i])))
      for (int rep = i ? 1 : 6; rep && nr < 4096; rep--, nr++) {  /* six in ten or so are under 3304 */
        snprintf(R[nr].code, sizeof R->code, "%.9s", l); snprintf(R[nr].name, sizeof R->name, "%s", county);
      }
  }
  fclose(f); if (!nr) die("no towns of the chosen prefixes in", path);
}

/* an enterprise is its number: code, name, place and industry follow from it */
static void org(uint32_t e, char *o) {                            /* GB 11714: XY marks invented codes */
  static const int W[8] = {3, 7, 9, 10, 5, 8, 4, 2}; int sum = 0;
  uint32_t q = (uint32_t)((e + 1ull) * 2654435761u % 887503681u); /* 31^6, prime to the factor: no two alike */
  memcpy(o, "XY", 2); for (int i = 7; i > 1; i--, q /= 31) o[i] = AL[q % 31];
  for (int i = 0; i < 8; i++) sum += W[i] * (o[i] <= '9' ? o[i] - '0' : o[i] - 'A' + 10);
  int c = 11 - sum % 11; o[8] = c == 10 ? 'X' : c == 11 ? '0' : (char)('0' + c);
}
static int place(uint32_t e) { return (int)(mix(e * 2ull + 1) % (uint64_t)nr); }
static int trade(uint32_t e) { return (int)(mix(e * 2ull + 0x5851f42d4c957f2du) % NIND); }
static void uscc(uint32_t e, char *u) {
  memcpy(u, "91", 2); memcpy(u + 2, R[place(e)].code, 6); org(e, u + 8);
  int sum = 0, w = 1; for (int i = 0; i < 17; i++, w = w * 3 % 31) sum += (int)(strchr(AL, u[i]) - AL) * w;
  u[17] = AL[(31 - sum % 31) % 31]; u[18] = 0;
}
static void name(uint32_t e, char *b) {
  char d[16]; b += sprintf(b, "%s示例", R[place(e)].name); sprintf(d, "%u", e + 1);
  for (char *p = d; *p; p++) b += sprintf(b, "%s", DIG[*p - '0']);
  sprintf(b, "号%s有限公司", IND[trade(e)].word);
}

static struct { long n, good, dup, late, clear, bad, planted, nameonly, badby[NBAD]; } C;
static double latep, namep;
/* one good signal (bad < 0) or one of the malformed classes; returns its length */
static int line(char *b, double now, double end, uint32_t e, int k, int bad) {
  char u[24], nm[200]; double at = now; static long seq;
  if (bad < 0 && u01() < latep) { at -= lograng(DAY / 24, 20 * DAY); C.late++; }
  uscc(e, u); name(e, nm);
  if (bad == 0) u[17] = AL[(strchr(AL, u[17]) - AL + 1 + below(30)) % 31];
  int dot = (int)strcspn(K[k].name, "."), wages = !strcmp(K[k].clue, "arrears under way");
  char *p = b + sprintf(b, "{\"id\":\"%.*s-%08lx\",\"kind\":\"%s\"", dot, K[k].name, ++seq, bad == 1 ? "tax.arears" : K[k].name);
  if (bad != 2) p += sprintf(p, ",\"at\":%lld", (long long)(bad == 4 ? end + 36500 * DAY : at));
  double how = u01();
  if (bad < 0 && how < namep) { p += sprintf(p, ",\"name\":\"%s\"", nm); C.nameonly++; }
  else if (bad != 6) p += sprintf(p, how < namep + .2 ? ",\"uscc\":\"%s\",\"name\":\"%s\"" : ",\"uscc\":\"%s\"", u, nm);
  double r = u01();
  if (bad == 5) p += sprintf(p, ",\"region\":\"33048X\"");
  else if (r < .9) p += sprintf(p, ",\"region\":\"%.*s\"", r < .2 ? 6 : 9, R[place(e)].code);
  if (u01() < .7) p += sprintf(p, ",\"industry\":\"%s\"", IND[trade(e)].code);
  if (bad == 3) p += sprintf(p, ",\"amount\":-%u", 1 + below(99999));
  else if (!K[k].clearing && u01() < (wages ? .8 : .4)) p += sprintf(p, ",\"amount\":%lld", (long long)lograng(1e5, wages ? 5e7 : 1e9));
  if (!K[k].clearing && u01() < (wages ? .9 : .1)) p += sprintf(p, ",\"people\":%d", (int)lograng(1, strstr(K[k].name, "group") ? 120 : 12) + (strstr(K[k].name, "group") ? 5 : 0));
  uint32_t doc = below(700000);
  p += sprintf(p, ",\"ref\":\"%.*s〔%04u〕%05u号\"}", dot, K[k].name, 2020 + doc / 100000, doc % 100000);
  if (bad == 7) p = b + (p - b) / 2;
  while (bad == 7 && p > b && (p[-1] & 0x80)) p--;                /* cut short, but between characters */
  *p++ = '\n'; return (int)(p - b);
}

static int cmp(const void *x, const void *y) {
  const plant *a = x, *b = y;
  return a->at < b->at ? -1 : a->at > b->at ? 1 : a->ent < b->ent ? -1 : a->ent > b->ent ? 1 : a->step - b->step;
}
static double date(const char *s) {
  int y, m, d; if (sscanf(s, "%d-%d-%d", &y, &m, &d) != 3) die("not a date:", s);
  y -= m <= 2; int era = y / 400, yoe = y - era * 400, doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return ((double)era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468) * DAY;
}

int main(int argc, char **argv) {
  long n = 1000000, E = 100000; double start = date("2025-01-01"), end = date("2026-01-01"), zipf = 1.1;
  double dup = .01, clr = .15, badp = .002, fail = .005, mend = .01; latep = .02; namep = .02; S = 42;
  const char *kinds = "../config/kinds.csv", *regions = "../config/regions.csv", *truth = "truth.csv", *out = 0;
  for (int o; (o = getopt(argc, argv, "n:e:s:a:z:Z:d:l:c:m:f:g:N:k:r:t:o:")) != -1;) switch (o) {
    case 'n': n = atol(optarg); break; case 'e': E = atol(optarg); break; case 's': S = strtoull(optarg, 0, 10); break;
    case 'a': start = date(optarg); break; case 'z': end = date(optarg); break; case 'Z': zipf = atof(optarg); break;
    case 'd': dup = atof(optarg); break; case 'l': latep = atof(optarg); break; case 'c': clr = atof(optarg); break;
    case 'm': badp = atof(optarg); break; case 'f': fail = atof(optarg); break; case 'g': mend = atof(optarg); break;
    case 'N': namep = atof(optarg); break; case 'k': kinds = optarg; break; case 'r': regions = optarg; break;
    case 't': truth = optarg; break; case 'o': out = optarg; break;
    default: die("usage: gen [-n signals] [-e enterprises] [-s seed] [-a start] [-z end] [-o trace] [-t truth]; more in", "README.md");
  }
  if (n < 1 || E < 1 || E > 800000000 || end <= start) die("nothing to do with these parameters", 0);
  load_kinds(kinds); load_regions(regions);
  FILE *of = out ? fopen(out, "wb") : stdout; if (!of) die("cannot write", out);
  FILE *tf = fopen(truth, "wb"); if (!tf) die("cannot write", truth);
  setvbuf(of, 0, _IOFBF, 1 << 20);
  clock_t c0 = clock();
  /* background: enterprises by Zipf (alias table), kinds by frequency */
  double *q = malloc((size_t)E * sizeof *q), sum = 0; uint32_t *al = malloc((size_t)E * 4), *st = malloc((size_t)E * 4);
  if (!q || !al || !st) die("no memory", 0);
  for (long i = 0; i < E; i++) sum += q[i] = ex(-zipf * ln((double)i + 1));
  long lo = 0, hi = E; for (long i = 0; i < E; i++) { q[i] *= (double)E / sum; al[i] = (uint32_t)i; if (q[i] < 1) st[lo++] = (uint32_t)i; else st[--hi] = (uint32_t)i; }
  while (lo > 0 && hi < E) { uint32_t s = st[--lo], g = st[hi]; al[s] = g; q[g] -= 1 - q[s]; if (q[g] < 1) { hi++; st[lo++] = g; } }
  int cum[MAXK], tot = 0; for (int i = 0; i < nk; i++) cum[i] = tot += K[i].per;
  /* planted: those that fail, and those that look like it and recover; none of the busiest hundredth */
  long nf = (long)(fail * (double)E + .5), nm = (long)(mend * (double)E + .5), most = n / (3 * NFALL), np = 0;
  if (nf + nm > most) { nf = nf * most / (nf + nm); nm = most - nf; }
  if (nf + nm > E / 2) die("too many planted enterprises for so few", 0);
  plant *P = malloc((size_t)(nf + nm + 1) * NFALL * sizeof *P); unsigned char *used = calloc((size_t)E, 1);
  if (!P || !used) die("no memory", 0);
  fprintf(tf, "uscc,name,outcome,arrears_began_ms,first_signal_ms,last_signal_ms,signals\n");
  for (long i = 0; i < nf + nm; i++) {
    uint32_t e; do e = (uint32_t)(E / 100) + below((uint32_t)(E - E / 100)); while (used[e]);
    used[e] = 1;
    double T = (30 + 120 * u01()) * DAY; if (T > (end - start) * .9) T = (end - start) * .9;
    double t0 = start + u01() * (end - start - T * 1.06), began = t0 + T * .82 - (1 + 9 * u01()) * DAY, first = 0, last = 0;
    int steps = i < nf ? NFALL : 2 + (int)below(3), had = 0;
    for (int j = 0; j < steps; j++) {
      double at = t0 + T * (FALL[j].at + .05 * u01());
      if (u01() < .12 || (i < nf && j == 8 && u01() < .6)) continue;  /* what no agency saw */
      P[np++] = (plant){at, e, (int16_t)need(FALL[j].kind), (int16_t)j}; had++; if (!first) first = at;
      last = at;
    }
    if (i >= nf) for (int j = 0; j < 2; j++) { last = t0 + T * (.7 + .1 * j); if (!first) first = last; P[np++] = (plant){last, e, (int16_t)need(MEND[below(4)]), (int16_t)(20 + j)}; had++; }
    char u[24], b[200]; uscc(e, u); name(e, b);
    if (i < nf) fprintf(tf, "%s,%s,failed,%lld,%lld,%lld,%d\n", u, b, (long long)began, (long long)first, (long long)last, had);
    else fprintf(tf, "%s,%s,recovered,,%lld,%lld,%d\n", u, b, (long long)first, (long long)last, had);
  }
  qsort(P, (size_t)np, sizeof *P, cmp);
  /* arrival */
  static char ring[RING][768], bad[768]; static int len[RING]; static uint32_t rent[RING]; static int rk[RING]; long ng = 0, nc = 0, pi = 0;
  for (C.n = 0; C.n < n; C.n++) {
    double now = start + ((double)C.n + u01()) / (double)n * (end - start);
    int plantnow = pi < np && (P[pi].at <= now || n - C.n <= np - pi);
    if (!plantnow && ng && u01() < dup) {                         /* sent again, soon or much later */
      long have = ng < RING ? ng : RING, lag = (long)lograng(1, (double)have + .5); if (lag > have) lag = have;
      long at = (ng - lag) % RING; fwrite(ring[at], 1, (size_t)len[at], of); C.dup++; continue;
    }
    uint32_t e; int k;
    if (plantnow) { e = P[pi].ent; k = P[pi].kind; now = P[pi].at; pi++; C.planted++; }
    else if (nc && u01() < clr) { long j = (long)below((uint32_t)(nc < RING ? nc : RING)); e = rent[j]; k = K[rk[j]].by; }
    else {
      uint32_t i = below((uint32_t)E); e = u01() < q[i] ? i : al[i];
      int x = (int)below((uint32_t)tot); for (k = 0; cum[k] <= x;) k++;
      if (K[k].by >= 0) { rent[nc % RING] = e; rk[nc % RING] = k; nc++; }
    }
    if (!plantnow && u01() < badp) {
      int w = (int)below(NBAD), l = line(bad, now, end, e, k, w); fwrite(bad, 1, (size_t)l, of); C.bad++; C.badby[w]++; continue;
    }
    C.clear += K[k].clearing; C.good++;
    long at = ng++ % RING; len[at] = line(ring[at], now, end, e, k, -1); fwrite(ring[at], 1, (size_t)len[at], of);
  }
  if (fclose(tf) || (out ? fclose(of) : fflush(of))) die("could not write all of the", "output");
  double s = (double)(clock() - c0) / CLOCKS_PER_SEC;
  fprintf(stderr, "lines %ld good %ld duplicates %ld late %ld clearing %ld name_only %ld planted %ld failed %ld recovered %ld malformed %ld", C.n, C.good, C.dup, C.late, C.clear, C.nameonly, C.planted, nf, nm, C.bad);
  for (int i = 0; i < NBAD; i++) fprintf(stderr, " %s %ld", BAD[i], C.badby[i]);
  free(q); free(al); free(st); free(P); free(used);
  fprintf(stderr, "\n%.2f s CPU, %.0f lines/s\n", s, (double)n / (s > 0 ? s : 1e-9));
  return 0;
}
