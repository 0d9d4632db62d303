/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the view in LMDB; see view.h. The view thread commits, each reader belongs to one thread;
 * what they share is LMDB's environment alone. Leaves to the fold what the rows mean. */
#include "store/view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/engine.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "store/row_sort.h"

/* VALUE_HEAD: CRC32C u32, version u8. To change the layout: raise VALUE_VERSION; an old view is folded anew.
 */
enum { VALUE_HEAD = 5, VALUE_VERSION = 1, META_BYTES = 8 + 8 + CHAIN_LEN + STORE_ID_LEN + 4 };
enum { META_TABLE = T_COUNT, READERS = 256 };
enum { NEARLY_FULL = 16 << 20 }; /* bytes free: LMDB calls a short write EIO */

static const char meta_name[] = "checkpoint";
static const char data_name[] = "data.mdb", new_name[] = "data.mdb.new"; /* new: until it is whole */
static const size_t map_most = (size_t)1 << 40, map_least = (size_t)1 << 26;

struct view {
    MDB_env *env;
    MDB_dbi dbi[T_COUNT + 1];
    char *dir;
    bool empty; /* read-only, and nothing was ever committed */
};

struct view_reader {
    struct view *view;
    MDB_txn *txn;
    bool active;
};

/* ---- failures ---- */

static bool nearly_full(const char *dir)
{
    struct statvfs st;
    return statvfs(dir, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < NEARLY_FULL;
}

static int failed(struct err *err, const struct view *v, int rc, const char *what)
{
    switch (rc) {
    case MDB_MAP_FULL:
        return err_set(
            err, WW_EFULL,
            "view: cannot %s: %s has filled its address space; lower 'retention', or give the process more "
            "address space",
            what, v->dir);
    case MDB_READERS_FULL:
        return err_set(err, WW_EAGAIN, "view: cannot %s: %d readers are at work in %s; try again later", what,
                       READERS, v->dir);
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_PANIC:
    case MDB_BAD_TXN:
    case MDB_INCOMPATIBLE:
        return err_set(err, WW_EDAMAGED,
                       "view: cannot %s: %s is damaged (%s); it can be thrown away: start with --rebuild",
                       what, v->dir, mdb_strerror(rc));
    case EIO:
    case ENOSPC:
    case EDQUOT:
        if (rc != EIO || nearly_full(v->dir))
            return err_set(err, WW_EFULL,
                           "view: cannot %s in %s: no space left; free space or lower 'retention'", what,
                           v->dir);
        break;
    default:
        break;
    }
    return err_set(err, WW_EIO, "view: cannot %s in %s: %s; check the disk, then start again", what, v->dir,
                   mdb_strerror(rc));
}

/* Without the key: it holds an enterprise's code, and the sentence goes to the log. */
static int bad_value(struct err *err, const struct view *v, unsigned table)
{
    return err_set(err, WW_EDAMAGED,
                   "view: a value in table '%s' of %s does not check; the view can be thrown away: start "
                   "with --rebuild",
                   table == META_TABLE ? meta_name : table_names[table], v->dir);
}

/* ---- values ---- */

static uint32_t value_crc(unsigned table, MDB_val key, const uint8_t *after_crc, size_t n)
{
    uint8_t t = (uint8_t)table;
    return crc32c(crc32c(crc32c(0, &t, 1), key.mv_data, key.mv_size), after_crc, n);
}

static void value_fill(uint8_t *out, unsigned table, MDB_val key, const void *p, size_t n)
{
    out[4] = VALUE_VERSION;
    if (n > 0)
        memcpy(out + VALUE_HEAD, p, n);
    uint32_t crc = value_crc(table, key, out + 4, n + 1);
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(crc >> (8 * i));
}

static bool value_check(unsigned table, MDB_val key, MDB_val stored, struct slice *value)
{
    const uint8_t *p = stored.mv_data;
    if (stored.mv_size < VALUE_HEAD || p[4] != VALUE_VERSION)
        return false;
    uint32_t crc = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    *value = (struct slice){(const char *)p + VALUE_HEAD, stored.mv_size - VALUE_HEAD};
    return crc == value_crc(table, key, p + 4, stored.mv_size - 4);
}

static MDB_val val(const void *p, size_t n)
{
    union {
        const void *from;
        void *to;
    } u = {.from = p}; /* LMDB takes keys without const, and leaves them as they are */
    return (MDB_val){n, u.to};
}

/* ---- opening ---- */

static const char *table_name(unsigned t)
{
    return t == META_TABLE ? meta_name : table_names[t];
}

static int open_tables(struct view *v, bool read_only, struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(v->env, NULL, read_only ? MDB_RDONLY : 0, &txn);
    if (rc != 0)
        return failed(err, v, rc, "begin");
    for (unsigned t = 0; t <= T_COUNT && rc == 0; t++)
        rc = mdb_dbi_open(txn, table_name(t), read_only ? 0 : MDB_CREATE, &v->dbi[t]);
    if (rc == MDB_NOTFOUND) { /* only when read: nothing was ever committed */
        v->empty = true;
        rc = 0;
    }
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return rc == 0 ? 0 : failed(err, v, rc, "open the tables");
}

static int open_env(struct view *v, size_t map_bytes, unsigned flags)
{
    int rc = mdb_env_create(&v->env);
    if (rc != 0)
        return rc;
    rc = mdb_env_set_mapsize(v->env, map_bytes);
    if (rc == 0)
        rc = mdb_env_set_maxdbs(v->env, T_COUNT + 1);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(v->env, READERS);
    if (rc == 0)
        rc = mdb_env_open(v->env, v->dir, flags, 0600);
    if (rc != 0) {
        mdb_env_close(v->env);
        v->env = NULL;
    }
    return rc;
}

static char *join(const char *dir, const char *name)
{
    size_t n = strlen(dir), m = strlen(name);
    char *s = mem_alloc(n + m + 2);
    memcpy(s, dir, n);
    s[n] = '/';
    memcpy(s + n + 1, name, m + 1);
    return s;
}

/* LMDB would begin a new one there, and cannot where it only reads. */
static bool is_empty_file(const char *dir)
{
    struct stat st;
    char *path = join(dir, data_name);
    bool empty = stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
    free(path);
    return empty;
}

static bool has_lock(const char *dir)
{
    char *path = join(dir, "lock.mdb");
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static int open_any(struct view *v, size_t map_bytes, bool read_only)
{
    unsigned flags = MDB_NOTLS | (read_only ? MDB_RDONLY : MDB_NOMETASYNC);
    size_t map = map_bytes ? map_bytes : map_most;
    if (read_only && !has_lock(v->dir)) /* a copy, which no daemon has opened yet: reading makes no file there */
        flags |= MDB_NOLOCK;
    int rc = open_env(v, map, flags);
    while (rc == ENOMEM && map_bytes == 0 && map > map_least) {
        map /= 4;
        rc = open_env(v, map, flags);
    }
    if (read_only &&
        (rc == EROFS || rc == EACCES)) /* a copy where nothing may be written, so nobody writes */
        rc = open_env(v, map, flags | MDB_NOLOCK);
    return rc;
}

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int e = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return e;
}

static int make_dir(const char *dir)
{
    if (mkdir(dir, 0700) != 0)
        return errno == EEXIST ? 0 : errno;
    char *parent = join(dir, "..");
    int e = sync_path(parent);
    free(parent);
    return e;
}

/* LMDB takes a file that was cut off while it was being made for a damaged one. So it is made under another name. */
static int make_whole(const char *dir, const char *temp, const char *path)
{
    MDB_env *env = NULL;
    int rc = unlink(temp) != 0 && errno != ENOENT ? errno : mdb_env_create(&env);
    if (rc != 0)
        return rc;
    rc = mdb_env_open(env, temp, MDB_NOSUBDIR | MDB_NOLOCK, 0600);
    mdb_env_close(env);
    if (rc == 0)
        rc = sync_path(temp);
    if (rc == 0 && rename(temp, path) != 0)
        rc = errno;
    if (rc == 0)
        return sync_path(dir);
    unlink(temp);
    return rc;
}

static int make_file(const char *dir)
{
    char *path = join(dir, data_name), *temp = join(dir, new_name);
    int rc = access(path, F_OK) == 0 ? 0 : errno == ENOENT ? make_whole(dir, temp, path) : errno;
    free(temp);
    free(path);
    return rc;
}

int view_open(struct view **out, const char *dir, size_t map_bytes, bool read_only, struct err *err)
{
    struct view *v = mem_zalloc(sizeof *v);
    v->dir = mem_strndup(dir, strlen(dir));
    int rc, e = read_only ? 0 : make_dir(dir);
    if (e == 0 && !read_only)
        e = make_file(dir);
    if (e == 0 && read_only && is_empty_file(dir))
        e = MDB_INVALID;
    if (e == 0)
        e = open_any(v, map_bytes, read_only);
    if (e == ENOENT && read_only)
        rc = err_set(err, WW_ENOTFOUND, "view: there is none in %s; name the state directory of a daemon",
                     dir);
    else if (e != 0)
        rc = failed(err, v, e, "open it");
    else
        rc = open_tables(v, read_only, err);
    if (rc == 0 && !read_only && (e = sync_path(dir)) != 0)
        rc = failed(err, v, e, "sync");
    if (rc != 0) {
        view_close(v);
        v = NULL;
    }
    *out = v;
    return rc;
}

void view_close(struct view *v)
{
    if (!v)
        return;
    if (v->env)
        mdb_env_close(v->env);
    free(v->dir);
    free(v);
}

int view_remove(const char *dir, struct err *err)
{
    static const char *const files[] = {data_name, "lock.mdb", new_name};
    int e = 0;
    for (size_t i = 0; i < ARRAY_LEN(files) && e == 0; i++) {
        char *path = join(dir, files[i]);
        if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
            e = errno;
        free(path);
    }
    if (e == 0)
        e = sync_path(dir);
    if (e == 0 || e == ENOENT)
        return 0;
    return err_set(err, WW_EIO, "view: cannot remove the files in %s: %s; remove them by hand", dir,
                   strerror(e));
}

/* ---- readers ---- */

int view_reader_open(struct view_reader **out, struct view *v, struct err *err)
{
    struct view_reader *r = mem_zalloc(sizeof *r);
    r->view = v;
    int rc = mdb_txn_begin(v->env, NULL, MDB_RDONLY, &r->txn);
    if (rc != 0) {
        free(r);
        *out = NULL;
        return failed(err, v, rc, "begin to read");
    }
    mdb_txn_reset(r->txn);
    *out = r;
    return 0;
}

void view_reader_close(struct view_reader *r)
{
    if (!r)
        return;
    mdb_txn_abort(r->txn);
    free(r);
}

int view_reader_refresh(struct view_reader *r, struct err *err)
{
    view_reader_rest(r);
    int rc = mdb_txn_renew(r->txn);
    if (rc != 0)
        return failed(err, r->view, rc, "read");
    r->active = true;
    return 0;
}

void view_reader_rest(struct view_reader *r)
{
    if (r->active)
        mdb_txn_reset(r->txn);
    r->active = false;
}

/* 1, 0, negative. */
static int get(struct view_reader *r, unsigned table, MDB_val key, struct slice *value, struct err *err)
{
    MDB_val stored;
    assert(r->active);
    if (r->view->empty)
        return 0;
    int rc = mdb_get(r->txn, r->view->dbi[table], &key, &stored);
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return failed(err, r->view, rc, "read");
    if (!value_check(table, key, stored, value))
        return bad_value(err, r->view, table);
    return 1;
}

int view_get(struct view_reader *r, enum table table, const void *key, size_t n, struct slice *value,
             struct err *err)
{
    return get(r, table, val(key, n), value, err);
}

int view_get_meta(struct view_reader *r, struct view_meta *m, struct err *err)
{
    struct slice s;
    *m = (struct view_meta){.fold_version = FOLD_VERSION};
    int rc = get(r, META_TABLE, val(meta_name, sizeof meta_name - 1), &s, err);
    if (rc <= 0)
        return rc;
    if (s.n != META_BYTES)
        return bad_value(err, r->view, META_TABLE);
    struct rd rd = rd_of(s.p, s.n);
    m->number = rd_u64(&rd);
    m->time = (int64_t)rd_u64(&rd);
    memcpy(m->chain, rd_bytes(&rd, CHAIN_LEN), CHAIN_LEN);
    memcpy(m->store_id, rd_bytes(&rd, STORE_ID_LEN), STORE_ID_LEN);
    m->fold_version = rd_u32(&rd);
    return 0;
}

/* Places the cursor on the first row of the scan. */
static int seek(MDB_cursor *c, struct slice from, enum view_order order, MDB_val *key, MDB_val *stored)
{
    if (from.n == 0)
        return mdb_cursor_get(c, key, stored, order == VIEW_UP ? MDB_FIRST : MDB_LAST);
    *key = val(from.p, from.n);
    int rc = mdb_cursor_get(c, key, stored, MDB_SET_RANGE);
    if (order == VIEW_UP)
        return rc;
    if (rc == MDB_NOTFOUND)
        return mdb_cursor_get(c, key, stored, MDB_LAST);
    if (rc == 0 && !(key->mv_size == from.n && memcmp(key->mv_data, from.p, from.n) == 0))
        return mdb_cursor_get(c, key, stored, MDB_PREV);
    return rc;
}

int view_scan(struct view_reader *r, enum table table, struct slice from, enum view_order order,
              bool (*each)(void *arg, struct slice key, struct slice value), void *arg, struct err *err)
{
    MDB_cursor *c;
    MDB_val key, stored;
    struct slice value;
    bool good = true;
    assert(r->active);
    if (r->view->empty)
        return 0;
    int rc = mdb_cursor_open(r->txn, r->view->dbi[table], &c);
    if (rc != 0)
        return failed(err, r->view, rc, "read");
    for (rc = seek(c, from, order, &key, &stored); rc == 0;
         rc = mdb_cursor_get(c, &key, &stored, order == VIEW_UP ? MDB_NEXT : MDB_PREV)) {
        good = value_check(table, key, stored, &value);
        if (!good || !each(arg, (struct slice){key.mv_data, key.mv_size}, value))
            break;
    }
    mdb_cursor_close(c);
    if (!good)
        return bad_value(err, r->view, table);
    return rc == 0 || rc == MDB_NOTFOUND ? 0 : failed(err, r->view, rc, "read");
}

int view_count(struct view_reader *r, enum table table, uint64_t *out, struct err *err)
{
    MDB_stat st;
    assert(r->active);
    *out = 0;
    if (r->view->empty)
        return 0;
    int rc = mdb_stat(r->txn, r->view->dbi[table], &st);
    if (rc != 0)
        return failed(err, r->view, rc, "read");
    *out = st.ms_entries;
    return 0;
}

static int loader_get(void *ctx, enum table table, const void *key, size_t n, struct slice *value,
                      struct err *err)
{
    return view_get(ctx, table, key, n, value, err);
}

static int loader_scan(void *ctx, enum table table, struct slice from,
                       bool (*each)(void *arg, struct slice key, struct slice value), void *arg,
                       struct err *err)
{
    return view_scan(ctx, table, from, VIEW_UP, each, arg, err);
}

struct state_loader view_loader(struct view_reader *r)
{
    return (struct state_loader){.ctx = r, .get = loader_get, .scan = loader_scan};
}

/* ---- committing ---- */

static int put(MDB_cursor *c, unsigned table, MDB_val key, const void *p, size_t n, unsigned flags)
{
    MDB_val room = {VALUE_HEAD + n, NULL};
    int rc = mdb_cursor_put(c, &key, &room, flags | MDB_RESERVE);
    if (rc == 0)
        value_fill(room.mv_data, table, key, p, n);
    return rc;
}

static int del(MDB_cursor *c, MDB_val key)
{
    int rc = mdb_cursor_get(c, &key, NULL, MDB_SET);
    return rc == MDB_NOTFOUND ? 0 : rc == 0 ? mdb_cursor_del(c, 0) : rc;
}

/* Rows of one table, sorted. What lies behind the table's last key is appended, which splits no page in half.
 */
static int put_table(MDB_txn *txn, MDB_dbi dbi, const struct dirty *const *rows, size_t n)
{
    MDB_cursor *c;
    MDB_val key, stored;
    int rc = mdb_cursor_open(txn, dbi, &c);
    if (rc != 0)
        return rc;
    size_t within = 0; /* rows that are not behind the last key */
    rc = mdb_cursor_get(c, &key, &stored, MDB_LAST);
    if (rc == 0) {
        while (within < n && row_key_order(rows[within]->key, rows[within]->klen, key.mv_data, key.mv_size) <= 0)
            within++;
    } else if (rc == MDB_NOTFOUND) {
        rc = 0;
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct dirty *row = rows[i];
        key = val(row->key, row->klen);
        if (row->p)
            rc = put(c, row->table, key, row->p, row->n, i < within ? 0 : MDB_APPEND);
        else if (i < within)
            rc = del(c, key);
    }
    mdb_cursor_close(c);
    return rc;
}

static int put_meta(MDB_txn *txn, MDB_dbi dbi, const struct checkpoint *cp,
                    const uint8_t store_id[STORE_ID_LEN])
{
    MDB_cursor *c;
    struct buf b = {0};
    buf_u64(&b, cp->number);
    buf_u64(&b, (uint64_t)cp->time);
    buf_put(&b, cp->chain, CHAIN_LEN);
    buf_put(&b, store_id, STORE_ID_LEN);
    buf_u32(&b, FOLD_VERSION);
    assert(b.n == META_BYTES);
    int rc = mdb_cursor_open(txn, dbi, &c);
    if (rc == 0) {
        rc = put(c, META_TABLE, val(meta_name, sizeof meta_name - 1), b.p, b.n, 0);
        mdb_cursor_close(c);
    }
    buf_finish(&b);
    return rc;
}

int view_commit(struct view *v, struct checkpoint *cp, const uint8_t store_id[STORE_ID_LEN], struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(v->env, NULL, 0, &txn);
    if (rc != 0)
        return failed(err, v, rc, "begin to write");
    const struct dirty **rows = row_sort(cp);
    for (size_t i = 0, n; i < cp->n && rc == 0; i += n) {
        for (n = 1; i + n < cp->n && rows[i + n]->table == rows[i]->table; n++)
            ;
        rc = put_table(txn, v->dbi[rows[i]->table], rows + i, n);
    }
    free(rows);
    if (rc == 0)
        rc = put_meta(txn, v->dbi[META_TABLE], cp, store_id);
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    return rc == 0 ? 0 : failed(err, v, rc, "write a checkpoint");
}

/* ---- comparing ---- */

static int step(MDB_cursor *c, MDB_val *key, MDB_val *stored, MDB_cursor_op op, bool *there)
{
    int rc = mdb_cursor_get(c, key, stored, op);
    *there = rc == 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static bool same(MDB_val a, MDB_val b)
{
    return a.mv_size == b.mv_size && memcmp(a.mv_data, b.mv_data, a.mv_size) == 0;
}

static int differ(struct err *err, const struct view *a, const struct view *b, unsigned table, MDB_val key,
                  const char *how)
{
    char hex[2 * STATE_KEY_MAX + 1] = "";
    for (size_t i = 0; i < key.mv_size && i < STATE_KEY_MAX; i++)
        snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)key.mv_data)[i]);
    return err_set(err, WW_EDAMAGED, "view: %s and %s differ in table '%s': key %s %s", a->dir, b->dir,
                   table_names[table], hex, how);
}

static int compare_rows(struct view *v[2], MDB_cursor *c[2], unsigned table, struct err *err)
{
    MDB_val key[2], stored[2];
    bool there[2];
    MDB_cursor_op op = MDB_FIRST;
    for (;; op = MDB_NEXT) {
        for (int i = 0; i < 2; i++) {
            int rc = step(c[i], &key[i], &stored[i], op, &there[i]);
            if (rc != 0)
                return failed(err, v[i], rc, "read");
        }
        if (!there[0] && !there[1])
            return 0;
        int d = !there[0]   ? 1
                : !there[1] ? -1
                            : row_key_order(key[0].mv_data, key[0].mv_size, key[1].mv_data, key[1].mv_size);
        if (d != 0)
            return differ(err, v[0], v[1], table, key[d > 0],
                          d < 0 ? "is only in the first" : "is only in the second");
        if (!same(stored[0], stored[1]))
            return differ(err, v[0], v[1], table, key[0], "has other values");
    }
}

static int compare_table(struct view_reader *r[2], unsigned table, struct err *err)
{
    struct view *v[2] = {r[0]->view, r[1]->view};
    MDB_cursor *c[2];
    int rc = mdb_cursor_open(r[0]->txn, v[0]->dbi[table], &c[0]);
    if (rc != 0)
        return failed(err, v[0], rc, "read");
    rc = mdb_cursor_open(r[1]->txn, v[1]->dbi[table], &c[1]);
    if (rc != 0) {
        rc = failed(err, v[1], rc, "read");
    } else {
        rc = compare_rows(v, c, table, err);
        mdb_cursor_close(c[1]);
    }
    mdb_cursor_close(c[0]);
    return rc;
}

static int compare_meta(struct view_reader *r[2], struct err *err)
{
    struct view_meta m[2];
    for (int i = 0; i < 2; i++) {
        int rc = view_get_meta(r[i], &m[i], err);
        if (rc != 0)
            return rc;
    }
    if (m[0].number == m[1].number && m[0].time == m[1].time && m[0].fold_version == m[1].fold_version &&
        memcmp(m[0].chain, m[1].chain, CHAIN_LEN) == 0)
        return 0;
    return err_set(err, WW_EDAMAGED,
                   "view: %s is of entry %" PRIu64 ", %s of entry %" PRIu64 ", or of another journal or fold",
                   r[0]->view->dir, m[0].number, r[1]->view->dir, m[1].number);
}

int view_compare(struct view *a, struct view *b, struct err *err)
{
    struct view_reader *r[2] = {NULL, NULL};
    int rc = view_reader_open(&r[0], a, err);
    if (rc == 0)
        rc = view_reader_open(&r[1], b, err);
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = view_reader_refresh(r[i], err);
    if (rc == 0)
        rc = compare_meta(r, err);
    for (unsigned t = 0; t < T_COUNT && rc == 0 && !a->empty && !b->empty; t++)
        rc = compare_table(r, t, err);
    view_reader_close(r[0]);
    view_reader_close(r[1]);
    return rc;
}

/* ---- care ---- */

int view_check_readers(struct view *v, struct err *err)
{
    int dead;
    int rc = mdb_reader_check(v->env, &dead);
    return rc == 0 ? 0 : failed(err, v, rc, "look for dead readers");
}

int view_copy(struct view *v, const char *dir, struct err *err)
{
    char *file = join(dir, data_name);
    int e = make_dir(dir);
    if (e == 0)
        e = mdb_env_copy2(v->env, dir, MDB_CP_COMPACT);
    if (e == 0)
        e = sync_path(file);
    if (e == 0)
        e = sync_path(dir);
    free(file);
    if (e == ENOSPC)
        return err_set(err, WW_EFULL, "view: cannot copy it to %s: no space left; free space there", dir);
    return e == 0 ? 0 : err_set(err, WW_EIO, "view: cannot copy it to %s: %s", dir, mdb_strerror(e));
}

static char damage_message[512];

static void on_sigbus(int signal_number)
{
    (void)signal_number;
    if (write(STDERR_FILENO, damage_message, strlen(damage_message)) < 0)
        _exit(74);
    _exit(1);
}

void view_catch_damage(const char *dir)
{
    struct sigaction act = {.sa_handler = on_sigbus};
    snprintf(damage_message, sizeof damage_message,
             "%s: view: a page of %s cannot be read: its file is cut short or the disk fails; the view can "
             "be thrown away: "
             "start with --rebuild\n",
             program_invocation_short_name, dir);
    sigemptyset(&act.sa_mask);
    sigaction(SIGBUS, &act, NULL);
}
