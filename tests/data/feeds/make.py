#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the sample exports of the five core agencies, and what is expected of each row.

make.py [--end 2026-03-20] [--seed 7] [--out DIR]     same arguments, same bytes
All enterprises are invented (示例 in the name, XY in the code); no persons.
"""
import argparse, csv, datetime as dt, io, json, math, os, random, unicodedata, zipfile
from xml.sax.saxutils import escape

ap = argparse.ArgumentParser()
ap.add_argument("--end", default="2026-03-20")
ap.add_argument("--seed", type=int, default=7)
ap.add_argument("--out", default=os.path.dirname(os.path.abspath(__file__)))
arg = ap.parse_args()
END = dt.date.fromisoformat(arg.end)
rng = random.Random(arg.seed)
AL = "0123456789ABCDEFGHJKLMNPQRTUWXY"
TOWNS = [("330482001", "当湖街道"), ("330482002", "钟埭街道"), ("330482003", "曹桥街道"), ("330482101", "乍浦镇"), ("330482102", "新埭镇"),
         ("330482103", "新仓镇"), ("330482106", "广陈镇"), ("330482107", "林埭镇"), ("330482108", "独山港镇")]
TRADES = ["制衣", "箱包", "家具", "塑料制品", "金属制品", "机械", "电器", "纺织", "餐饮管理", "建筑工程", "货运", "商贸"]
FULL = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})


def zh(n):
    d = "零一二三四五六七八九"
    if n < 10: return d[n]
    if n < 20: return "十" + (d[n % 10] if n % 10 else "")
    if n < 100: return d[n // 10] + "十" + (d[n % 10] if n % 10 else "")
    r = n % 100
    return d[n // 100] + "百" + ("" if not r else "零" + zh(r) if r < 10 else d[r // 10] + "十" + (d[r % 10] if r % 10 else ""))


def code(n):
    o = "XY" + "".join(AL[(n * 48271 % 887503681) // 31 ** i % 31] for i in range(6))
    v = lambda c: int(c) if c.isdigit() else ord(c) - 55
    k = 11 - sum(w * v(c) for w, c in zip((3, 7, 9, 10, 5, 8, 4, 2), o)) % 11
    u = "91330482" + o + ("X" if k == 10 else "0" if k == 11 else str(k))
    return u + AL[(31 - sum(AL.index(c) * pow(3, i, 31) for i, c in enumerate(u)) % 31) % 31]


def spoil(u):
    return u[:17] + AL[(AL.index(u[17]) + 1 + rng.randrange(30)) % 31]


class Ent:
    def __init__(self, n, name=None):
        self.n, self.code = n, code(n)
        self.name = name or f"平湖市示例{zh(n)}号{TRADES[n * 5 % 12]}有限公司"
        self.town = TOWNS[n * 7 % 9]


E = {n: Ent(n) for n in range(1, 171)}
E[1].name = "平湖市示例一号制衣有限公司"
E[5].name = "示例五号(平湖)箱包有限公司"
E[7].name = "平湖市示例七号𬭎鑫机械有限公司"                # outside GBK; four bytes in GB18030
E[12].name = "平湖市示例一号制衣有限公司乍浦分公司"

TEXT = {
    "tax": {"tax.arrears": "欠税", "tax.abnormal_household": "认定非正常户", "tax.invoice_stopped": "停供发票", "tax.filing_missed": "逾期未申报",
            "tax.sales_plunge": "开票额骤降", "tax.deregistration_asked": "申请注销", "tax.settled": "欠税已清缴"},
    "court": {"court.enforcement": "首次执行", "court.dishonest": "纳入失信", "court.seizure": "财产查封", "court.wage_suit": "劳动报酬纠纷",
              "court.released": "解除查封"},
    "police": {"police.wage_dispute_call": "讨薪纠纷", "police.owner_missing": "经营者失联"},
    "market": {"market.abnormal_list": "列入经营异常名录", "market.address_lost": "登记住所无法联系", "market.equity_frozen": "股权冻结",
               "market.chattel_mortgage": "动产抵押", "market.legal_rep_changed": "法定代表人变更", "market.restored": "移出经营异常名录"},
    "subdistrict": {"subdistrict.rent_overdue": "欠付厂房租金", "subdistrict.relocation": "搬迁设备", "subdistrict.shutdown": "停产停业", "subdistrict.wage_delay": "工资延发",
                    "subdistrict.gathering": "员工聚集", "subdistrict.owner_unreachable": "负责人失联", "subdistrict.resumed": "恢复生产"},
}
SKIP = {"tax": ["纳税信用等级变更", "发票增量申请"], "court": ["买卖合同纠纷", "民间借贷纠纷", "房屋租赁合同纠纷"],
        "police": ["噪音扰民", "物品丢失", "邻里纠纷", "交通事故", "求助咨询"], "market": ["年报公示", "经营范围变更"], "subdistrict": ["巡查正常", "消防隐患"]}
MONEY = {"tax.arrears", "court.enforcement", "court.seizure", "court.dishonest", "market.chattel_mortgage", "subdistrict.rent_overdue", "subdistrict.wage_delay"}
PEOPLE = {"police.wage_dispute_call", "subdistrict.wage_delay", "subdistrict.gathering"}

# who does what: enterprise, kind, days before the end, and where in the feed it stands
ALARM = {1: [("tax.arrears", 28), ("court.enforcement", 20), ("subdistrict.rent_overdue", 15), ("subdistrict.wage_delay", 9), ("police.wage_dispute_call", 6), ("tax.abnormal_household", 3)],
         2: [("tax.sales_plunge", 30), ("market.chattel_mortgage", 22), ("court.seizure", 12), ("subdistrict.relocation", 5)],
         3: [("tax.invoice_stopped", 25), ("court.dishonest", 16), ("market.address_lost", 8)],
         4: [("market.equity_frozen", 33), ("court.enforcement", 21), ("subdistrict.gathering", 4), ("police.wage_dispute_call", 3)],
         5: [("tax.arrears", 18), ("subdistrict.rent_overdue", 10), ("police.owner_missing", 2)],
         6: [("market.abnormal_list", 26), ("subdistrict.shutdown", 11), ("police.wage_dispute_call", 7)],
         7: [("tax.filing_missed", 20), ("court.enforcement", 14), ("market.abnormal_list", 6)]}
QUIET = {8: [("tax.arrears", 20), ("court.enforcement", 12)],
         9: [("tax.sales_plunge", 15), ("market.legal_rep_changed", 10)],
         10: [("market.chattel_mortgage", 80), ("court.enforcement", 30), ("tax.filing_missed", 20), ("tax.settled", 5), ("court.released", 4)],
         11: [("market.abnormal_list", 170), ("tax.arrears", 110), ("court.enforcement", 40)],
         12: [("subdistrict.rent_overdue", 8)],
         13: [("subdistrict.rent_overdue", 10), ("tax.filing_missed", 9)],
         14: [("subdistrict.owner_unreachable", 30), ("market.chattel_mortgage", 20), ("subdistrict.resumed", 6)],
         15: [("tax.sales_plunge", 40), ("tax.arrears", 24), ("tax.filing_missed", 12)]}
WHY = {1: "five agencies' worth of decline; owner gone and wages late", 2: "four agencies", 3: "three agencies", 4: "four agencies",
       5: "three agencies; the sub-district row has the name only, in full-width brackets", 6: "three agencies; code in full width, and in lower case",
       7: "three agencies; name with a character outside GBK", 8: "two agencies; the third row (market) has a wrong check character", 9: "two agencies; the third row (police) is of a category left out",
       10: "two agencies, both cleared", 11: "three agencies, but never two within 45 days", 12: "branch of no. 1 with a code of its own: must not be merged with it",
       13: "two agencies; the third row (court) is dated in the future", 14: "two agencies, one cleared", 15: "three kinds of one agency"}
WHY[1] = "four agencies; owner gone and wages late"
BENIGN = {"tax": ["tax.filing_missed", "tax.arrears", "tax.sales_plunge", "tax.invoice_stopped"], "court": ["court.enforcement"],
          "market": ["market.abnormal_list", "market.chattel_mortgage", "market.legal_rep_changed", "market.equity_frozen"], "subdistrict": ["subdistrict.rent_overdue"]}


class Row:                                   # one record of one feed, before it is written
    def __init__(self, agency, ent, kind, days, cls="good", reason="", note=""):
        self.agency, self.ent, self.kind, self.cls, self.reason, self.note = agency, ent, kind, cls, reason, note
        self.date = END - dt.timedelta(days=days)
        self.hm = (rng.randrange(8, 18), rng.randrange(60), rng.randrange(60))
        self.text = TEXT[agency].get(kind) or rng.choice(SKIP[agency])
        self.fen = int(round(math.exp(rng.uniform(math.log(8e5), math.log(3e7))) / 1e4)) * 10000 + rng.choice((0, 0, 4567, 50)) if kind in MONEY else None
        self.people = rng.randrange(3, 12) if kind in PEOPLE else None
        self.code, self.name, self.extra, self.doc, self.sheet = ent.code, ent.name, "", "", False

    def wan(self): self.fen = self.fen // 10000 * 10000; return self.fen   # whole hundreds of yuan: exact in 万元


rows = {a: [] for a in TEXT}
def add(agency, n, kind, days, **kw):
    r = Row(agency, E[n], kind, days, **kw); rows[agency].append(r); return r

special = {}
for n, evs in {**ALARM, **QUIET}.items():
    for kind, days in evs:
        special[n, kind] = add(kind.split(".")[0], n, kind, days)
special[5, "subdistrict.rent_overdue"].code = ""
special[5, "subdistrict.rent_overdue"].name = E[5].name.replace("(", "（").replace(")", "）")
special[5, "subdistrict.rent_overdue"].note = "name only, full-width brackets"
special[6, "subdistrict.shutdown"].code = E[6].code.translate(FULL); special[6, "subdistrict.shutdown"].note = "full-width code"
special[6, "police.wage_dispute_call"].code = E[6].code.lower(); special[6, "police.wage_dispute_call"].note = "lower-case code"
special[3, "market.address_lost"].sheet = special[14, "market.chattel_mortgage"].sheet = True
special[7, "market.abnormal_list"].name = E[7].name.encode("gbk", "replace").decode("gbk")
special[7, "market.abnormal_list"].note = "a character of the name lost to GBK"
r = add("market", 8, "market.abnormal_list", 5, cls="rejected", reason="bad_uscc"); r.code = spoil(r.code)
add("police", 9, None, 8, cls="ignored", reason="category")
r = add("court", 13, "court.enforcement", 7, cls="rejected", reason="bad_time"); r.date = dt.date(2099, 12, 31)

free = iter(range(16, 171))                  # one signal each: one agency, never in alarm
for agency, count in (("tax", 72), ("court", 26), ("market", 26), ("subdistrict", 22)):
    for _ in range(count): add(agency, next(free), rng.choice(BENIGN[agency]), rng.randrange(2, 60))
for agency, count in (("tax", 30), ("court", 28), ("police", 62), ("market", 96), ("subdistrict", 58)):
    for _ in range(count): add(agency, rng.randrange(16, 160), None, rng.randrange(1, 45), cls="ignored", reason="category")
for r in rows["market"]:
    if r.ent.n > 15 and rng.random() < .42: r.sheet = True
for agency, L in rows.items():               # the dirt; reject rows use enterprises 162..170, which nothing else names
    mapped = [r for r in L if r.cls == "good" and r.ent.n > 15]
    kinds = BENIGN.get(agency, ["police.wage_dispute_call"])
    money = next((k for k in kinds if k in MONEY), None)
    for i in range(2):
        r = add(agency, 162 + i, kinds[0], 9 + i, cls="rejected", reason="bad_uscc"); r.code = spoil(r.code)
    r = add(agency, 164, kinds[0], 11, cls="rejected", reason="no_enterprise"); r.code = r.name = ""
    r = add(agency, 165, kinds[0], 0, cls="rejected", reason="bad_time"); r.date = dt.date(2099, 12, 31)
    if money and agency != "market":
        r = add(agency, 166, money, 13, cls="rejected", reason="bad_field"); r.fen = -abs(r.wan())
    if agency == "market":
        r = add(agency, 166, "market.chattel_mortgage", 13, cls="rejected", reason="bad_field"); r.fen = -abs(r.wan())
    pick = rng.sample(mapped, 5) if len(mapped) >= 5 else []
    if pick:
        for r in pick[:2]: r.note, r.code, r.name = "trailing spaces", r.code + "  ", r.name + " "
        for r in pick[2:4]: r.note, r.code = "name only", ""
        if not pick[4].sheet: pick[4].note, pick[4].extra = "line break in a quoted field", "现场核查：\n已留联系单，待回访"
    else:
        mine = [r for r in L if r.cls == "good"]
        mine[0].note, mine[0].name = "trailing spaces", mine[0].name + "  "
        mine[1].note, mine[1].extra = "line break in a quoted field", "多名工人到场\n已引导至劳动监察"
        mine[2].note, mine[2].code = "name only", ""
    if agency in ("market", "court"): pick[4].note = pick[4].extra = ""
    if agency == "market":
        r = next(r for r in mapped if not r.sheet and not r.note); r.note, r.extra = "line break in a quoted field", "原因：\n未按期公示年报"
    rng.shuffle(L)
    L.sort(key=lambda r: r.date if r.date.year < 2090 else END)
    prefix = {"tax": "平税风〔2026〕%05d号", "court": "（2026）浙0482执%d号", "police": "PH2026%08d", "subdistrict": "WG-2026-%05d", "market": ""}[agency]
    for i, r in enumerate(L): r.doc, r.fmt = prefix % (101 + i * 3) if prefix else "", i
    if agency != "market":
        for src in rng.sample([r for r in L if r.cls == "good"], 2):  # the same row twice
            c = object.__new__(Row); c.__dict__.update(src.__dict__); c.cls, c.reason, c.note = "duplicate", "row repeated", ""
            L.insert(min(len(L), L.index(src) + rng.randrange(1, 6)), c)

expected = []
def norm(s): return "".join(unicodedata.normalize("NFKC", s).casefold().split())
def expect(f, rec, line, r, timed=False):
    h, m, s = r.hm if timed else (0, 0, 0)
    at = int(dt.datetime(r.date.year, r.date.month, r.date.day, h, m, s, tzinfo=dt.timezone(dt.timedelta(hours=8))).timestamp() * 1000)
    use = r.cls in ("good", "duplicate")
    u = unicodedata.normalize("NFKC", r.code).strip().upper()
    expected.append([f, rec, line, r.cls, r.reason, r.note, r.kind if use else "", u if use else "", norm(r.name) if use else "", at if use else "",
                     r.fen if use and r.fen is not None else "", r.people if use and r.people is not None else "", r.doc if use else "",
                     (r.ent.town[0] if r.agency == "subdistrict" else "330482") if use else ""])
def truncated(f, rec, line):
    expected.append([f, rec, line, "rejected", "truncated", "last line cut off"] + [""] * 8)

def put(name, data):
    with open(os.path.join(arg.out, name), "wb") as fh: fh.write(data)

def table(fname, head, body, enc, bom=b"", eol="\r\n", delim=",", pre=(), timed=False, half=None, errors="strict"):
    out, line = "", 1
    def emit(cells):
        b = io.StringIO(); csv.writer(b, delimiter=delim, lineterminator=eol).writerow(cells); return b.getvalue()
    for p in pre: out += p + eol; line += 1
    out += emit(head); line += 1
    for i, (r, cells) in enumerate(body):
        expect(fname, i + 1, line, r, timed)
        t = emit(cells); out += t; line += t.count("\n")
    if half: out += half; truncated(fname, len(body) + 1, line)
    put(fname, bom + out.encode(enc, errors))

D = lambda d, i: (f"{d.year}/{d.month}/{d.day}", d.isoformat(), d.strftime("%Y%m%d"))[i % 3]

# tax: GB18030, two lines before the header, three ways to write a date, three to write a sum
body = []
for i, r in enumerate(rows["tax"]):
    sum_ = ""
    if r.fen is not None:
        w = r.fmt % 3
        if w == 1: r.wan()
        sum_ = f"{r.fen / 100:,.2f}" if w == 0 else f"{r.fen / 1e6:.2f}".rstrip("0").rstrip(".") + "万元" if w == 1 else f"{r.fen / 100:.2f}元"
        if w == 1: assert abs(float(sum_[:-2]) * 1e6 - r.fen) < 1, (sum_, r.fen)
    body.append((r, [i + 1, r.doc, r.code, r.name, r.text, D(r.date, r.fmt), sum_, r.ent.town[1] + "税务所", r.extra]))
table("tax_risk.csv", ["序号", "文书号", "纳税人识别号", "纳税人名称", "风险类型", "认定日期", "金额", "主管税务所", "备注"], body, "gb18030",
      pre=["平湖市风险纳税人清单（示例）,,,,,,,,", f"导出日期：{D(END, 0)},,单位：元,,,,,,"], half='%d,平税风〔2026〕09999号,91330482XY' % (len(body) + 1))

# court: JSON lines, UTF-8, nested party, sum as number or text
out, rec = "", 0
for i, r in enumerate(rows["court"]):
    rec += 1; expect("court_cases.jsonl", rec, rec, r, timed=r.fmt % 2 == 1)
    when = r.date.isoformat() if r.fmt % 2 == 0 else f"{r.date.isoformat()}T{r.hm[0]:02d}:{r.hm[1]:02d}:{r.hm[2]:02d}+08:00"
    o = {"案号": r.doc, "案件类型": r.text, "立案日期": when, "当事人": {"名称": r.name, "统一社会信用代码": r.code or None}, "法院": "平湖市人民法院（示例）"}
    if r.fen is not None: o["标的金额"] = r.fen / 100 if r.fmt % 4 < 2 else f"{r.fen / 100:.2f}"
    out += json.dumps(o, ensure_ascii=False, separators=(",", ":") if r.fmt % 5 else (", ", ": ")) + "\n"
out += '{"案号":"（2026）浙0482执9999号","案件类型":"首次执行","当事人":{"名称":"平湖市示'
truncated("court_cases.jsonl", rec + 1, rec + 1); put("court_cases.jsonl", out.encode())

# police: UTF-8 with a byte order mark, LF, time of day, code mostly empty in other categories
body = [(r, [r.doc, f"{r.date.isoformat()} {r.hm[0]:02d}:{r.hm[1]:02d}:{r.hm[2]:02d}", r.text, r.name, r.code if r.cls != "ignored" or r.fmt % 3 == 0 else "",
             r.ent.town[1] + "派出所", "" if r.people is None else r.people, r.extra]) for i, r in enumerate(rows["police"])]
table("police_calls.csv", ["警情编号", "接警时间", "警情类别", "涉及单位", "单位代码", "辖区", "涉及人数", "备注"], body, "utf-8", bom=b"\xef\xbb\xbf", eol="\n",
      timed=True, half='PH202600009999,2026-03-19 10:2')

# market: GBK as Excel saves it (="code", tabs after codes), no document number; and a workbook
seen, flat, sheet = {}, [r for r in rows["market"] if not r.sheet], [r for r in rows["market"] if r.sheet]
for agency_rows in (flat, sheet):
    src = rng.sample([r for r in flat if r.cls == "good" and not r.note and not r.fen], 3 if agency_rows is sheet else 2)
    for s in src:                            # rows that stand in both exports, or twice in one
        c = object.__new__(Row); c.__dict__.update(s.__dict__)
        c.cls, c.reason = "duplicate", "also in market_list.csv" if agency_rows is sheet else "row repeated"
        agency_rows.append(c)
body = []
for i, r in enumerate(flat):
    u = f'="{r.code}"' if r.fmt % 4 == 0 and r.code and not r.note else r.code + "\t" if r.fmt % 4 == 1 and r.code else r.code
    if r.fen is not None: r.wan()
    body.append((r, [u, r.name, r.text, D(r.date, r.fmt % 2), "" if r.fen is None else f"{r.fen / 1e6:g}", r.extra]))
table("market_list.csv", ["统一社会信用代码", "企业名称", "事项", "决定日期", "金额（万元）", "原因"], body, "gbk", errors="replace", half=E[161].code + ",平湖市示例")

strings = []
def si(t):
    if t not in strings: strings.append(t)
    return strings.index(t)
cell = lambda c, n, t: f'<c r="{c}{n}" t="s"><v>{si(t)}</v></c>' if t != "" else ""
X = ['<row r="1">' + cell("A", 1, "平湖市市场主体风险事项（示例）") + "</row>", '<row r="2">' + "".join(cell("ABCDE"[i], 2, h) for i, h in enumerate(["统一社会信用代码", "企业名称", "事项", "决定日期", "金额（万元）"])) + "</row>"]
n = 2
for i, r in enumerate(sheet):
    n += 1
    if i == 30: n += 1                       # an empty row in the middle
    if r.fen is not None: r.wan()
    expect("market_list.xlsx", i + 1, n, r)
    day = f'<c r="D{n}" s="1"><v>{(r.date - dt.date(1899, 12, 30)).days}</v></c>' if i % 3 else cell("D", n, D(r.date, 0))
    X.append(f'<row r="{n}">' + cell("A", n, r.code) + cell("B", n, r.name) + cell("C", n, r.text) + day + ("" if r.fen is None else f'<c r="E{n}"><v>{r.fen / 1e6:g}</v></c>') + "</row>")
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PKG = "http://schemas.openxmlformats.org/package/2006/"
CT = "application/vnd.openxmlformats-officedocument.spreadsheetml."
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
parts = {
    "[Content_Types].xml": f'<Types xmlns="{PKG}content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{CT}sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="{CT}worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="{CT}styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="{CT}sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PKG}relationships"><Relationship Id="rId1" Type="{REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook {NS} xmlns:r="{REL}"><sheets><sheet name="风险事项" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PKG}relationships"><Relationship Id="rId1" Type="{REL}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="{REL}/styles" Target="styles.xml"/><Relationship Id="rId3" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet {NS}><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    "xl/worksheets/sheet1.xml": f'<worksheet {NS}><sheetData>{"".join(X)}</sheetData><mergeCells count="1"><mergeCell ref="A1:E1"/></mergeCells></worksheet>',
    "xl/sharedStrings.xml": f'<sst {NS} uniqueCount="{len(strings)}">' + "".join(f'<si><t xml:space="preserve">{escape(t)}</t></si>' for t in strings) + "</sst>",
}
b = io.BytesIO()
with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
    for p, t in parts.items():
        zi = zipfile.ZipInfo(p, (2026, 1, 1, 0, 0, 0)); zi.compress_type = zipfile.ZIP_DEFLATED; zi.external_attr = 0o644 << 16
        z.writestr(zi, (HEAD + t).encode())
put("market_list.xlsx", b.getvalue())

# sub-district: tabs, UTF-8, digits and brackets in full width now and then
body = []
for i, r in enumerate(rows["subdistrict"]):
    day = (f"{r.date.year}年{r.date.month}月{r.date.day}日", r.date.isoformat(), D(r.date, 0))[r.fmt % 3]
    sum_ = "" if r.fen is None else f"{r.wan() / 1e6:g}"
    ppl = "" if r.people is None else f"{r.people}人" if r.fmt % 2 else str(r.people)
    if r.fmt % 4 == 0: day, sum_, ppl = day.translate(FULL), sum_.translate(FULL), ppl.translate(FULL)
    nm = r.name.replace("(", "（").replace(")", "）")
    body.append((r, [r.doc, r.ent.town[1], f"{r.ent.town[0]}{r.fmt % 12 + 1:03d}", nm, r.code, day, r.text, ppl, sum_, r.extra]))
table("subdistrict_grid.tsv", ["编号", "镇（街道）", "网格编号", "企业名称", "信用代码", "巡查日期", "情况", "涉及人数", "金额（万元）", "备注"], body, "utf-8", eol="\n", delim="\t",
      half="WG-2026-09999\t乍浦镇\t33048210")

b = io.StringIO(); w = csv.writer(b, lineterminator="\n")
w.writerow("file,record,line,class,reason,note,kind,uscc,name,at_ms,amount_fen,people,doc,region".split(",")); w.writerows(expected)
put("expected.csv", b.getvalue().encode())

# what the good rows add up to: score by the design's formula, factors and saturation left out
kinds = {r["kind"]: r for r in csv.DictReader(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "config", "kinds.csv"), encoding="utf-8"))}
def score(sig, t):
    h, live = 0.0, []
    for k, d in sorted(sig, key=lambda x: x[1]):
        if d <= t: live = [x for x in live if x[0] not in kinds[k]["clears"].split()] + [(k, d)]
    for k, d in live:
        if float(kinds[k]["weight"]): h += -math.log(1 - float(kinds[k]["weight"])) * 2 ** (-(t - d).days / float(kinds[k]["half_life_days"]))
    return h
b = io.StringIO(); w = csv.writer(b, lineterminator="\n")
w.writerow("uscc,name,expect,agencies,most_agencies_in_45_days,peak_score,score_at_end,why".split(","))
by = {}
for L in rows.values():
    for r in L:
        if r.cls == "good": by.setdefault(r.ent.n, []).append((r.kind, r.date))
for n in sorted(by):
    s = by[n]; days = [d for _, d in s]
    many = max(len({k.split(".")[0] for k, d in s if dt.timedelta(0) <= t - d <= dt.timedelta(45)}) for t in days)
    peak = max(score(s, t) for t in days); now = 100 * (1 - math.exp(-score(s, END)))
    assert (many >= 3) == (n in ALARM), n
    assert n in ALARM or 100 * (1 - math.exp(-1.25 * peak)) < 40, (n, s)
    w.writerow([E[n].code, norm(E[n].name), "alarm" if n in ALARM else "quiet", " ".join(sorted({k.split(".")[0] for k, _ in s})), many, f"{100 * (1 - math.exp(-peak)):.1f}", f"{now:.1f}", WHY.get(n, "one signal")])
put("enterprises.csv", b.getvalue().encode())
