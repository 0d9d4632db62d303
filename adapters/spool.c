/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/spool.h"

#include "adapters/file.h"
#include "adapters/keep.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* Keys: a letter, 16 bytes of (endpoint, profile), and then
 *   'S'                                  -> store id
 *   'I' 16 bytes of the input            -> progress
 *   'K' time u64, number u64, big-endian -> signals */
enum {
    NAME_LEN = 16,
    KEY_STORE = 1 + NAME_LEN,
    KEY_INPUT = KEY_STORE + NAME_LEN,
    KEY_KEPT = KEY_STORE + 16,
    KEY_MAX = KEY_STORE + 16
};

static const size_t MAP_SIZE = (size_t)16 << 30; /* address space, not disk */

struct spool {
    MDB_env *env;
    MDB_dbi dbi;
    char *dir;
    uint8_t name[NAME_LEN];
    struct buf bytes;
};

static void name_of(uint8_t out[NAME_LEN], const char *a, const char *b)
{
    uint8_t hash[CHAIN_LEN];
    hash_blake2b(hash, a, strlen(a) + 1, b, strlen(b), NULL, 0);
    memcpy(out, hash, NAME_LEN);
}

static int fail(const struct spool *s, int rc, const char *what, struct err *err)
{
    if (rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT)
        return err_set(err, WW_EFULL,
                       "spool %s: no space to %s; free space, or lower resend_days in the profile", s->dir,
                       what);
    if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH)
        return err_set(err, WW_EDAMAGED,
                       "spool %s: is damaged (%s); move the folder away and start again: the daemon counts "
                       "nothing twice",
                       s->dir, mdb_strerror(rc));
    return err_set(err, WW_EIO, "spool %s: cannot %s: %s; name another folder with --spool", s->dir, what,
                   mdb_strerror(rc));
}

/* ---- open, close, lock ---- */

static int open_env(struct spool *s, struct err *err)
{
    int dead;
    int rc = mdb_env_create(&s->env);
    if (!rc)
        rc = mdb_env_set_mapsize(s->env, MAP_SIZE);
    if (!rc)
        rc = mdb_env_open(s->env, s->dir, MDB_NOTLS, 0600);
    if (!rc)
        rc = mdb_reader_check(s->env, &dead);
    MDB_txn *txn = NULL;
    if (!rc)
        rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (!rc)
        rc = mdb_dbi_open(txn, NULL, 0, &s->dbi);
    if (!rc)
        rc = mdb_txn_commit(txn);
    else if (txn)
        mdb_txn_abort(txn);
    return rc ? fail(s, rc, "open it", err) : 0;
}

int spool_open(struct spool **out, const char *dir, const char *endpoint, const char *profile,
               struct err *err)
{
    struct spool *s = mem_zalloc(sizeof *s);
    s->dir = mem_strndup(dir, strlen(dir));
    name_of(s->name, endpoint, profile);
    int rc = file_make_dirs(dir, err);
    if (!rc)
        rc = open_env(s, err);
    if (rc) {
        spool_close(s);
        s = NULL;
    }
    *out = s;
    return rc;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    if (s->env)
        mdb_env_close(s->env);
    buf_finish(&s->bytes);
    free(s->dir);
    free(s);
}

int spool_lock(struct spool *s, const char *input, int *lock, struct err *err)
{
    uint8_t name[NAME_LEN];
    char path[4096];
    name_of(name, (const char[]){"lock"}, input);
    for (size_t i = 0; i < NAME_LEN; i++)
        name[i] ^= s->name[i];
    int n = snprintf(path, sizeof path, "%s/locks", s->dir);
    int rc = n < (int)sizeof path - 40 ? file_make_dirs(path, err)
                                       : err_set(err, WW_EIO, "spool %s: too long", s->dir);
    if (rc)
        return rc;
    n += snprintf(path + n, sizeof path - (size_t)n, "/");
    for (size_t i = 0; i < NAME_LEN; i++)
        n += snprintf(path + n, sizeof path - (size_t)n, "%02x", name[i]);
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*lock < 0)
        return err_set(err, WW_EIO, "%s: cannot open: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    spool_unlock(*lock);
    *lock = -1;
    return err_set(err, WW_ELOCKED,
                   "%s: another wagewarn-feed is reading it with this profile; wait for it, or stop it",
                   input);
}

void spool_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

/* ---- keys and values ---- */

static MDB_val key_of(const struct spool *s, uint8_t key[KEY_MAX], char letter, const char *input)
{
    key[0] = (uint8_t)letter;
    memcpy(key + 1, s->name, NAME_LEN);
    if (input)
        name_of(key + KEY_STORE, "input", input);
    return (MDB_val){input ? KEY_INPUT : KEY_STORE, key};
}

static MDB_val kept_key(const struct spool *s, uint8_t key[KEY_MAX], int64_t time, uint64_t number)
{
    uint64_t be[2] = {htobe64((uint64_t)time), htobe64(number)};
    key_of(s, key, 'K', NULL);
    memcpy(key + KEY_STORE, be, sizeof be);
    return (MDB_val){KEY_KEPT, key};
}

/* 1: found, *value is valid until the transaction ends; 0: not there. */
static int get(struct spool *s, MDB_txn **txn, MDB_val key, struct slice *value, struct err *err)
{
    MDB_val v;
    int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, txn);
    if (rc) {
        *txn = NULL;
        return fail(s, rc, "read", err);
    }
    rc = mdb_get(*txn, s->dbi, &key, &v);
    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc)
        return fail(s, rc, "read", err);
    *value = (struct slice){v.mv_data, v.mv_size};
    return 1;
}

static void done_reading(MDB_txn *txn)
{
    if (txn)
        mdb_txn_abort(txn);
}

int spool_load(struct spool *s, const char *input, struct progress *p, struct err *err)
{
    uint8_t key[KEY_MAX];
    struct slice value;
    MDB_txn *txn;
    int rc = get(s, &txn, key_of(s, key, 'I', input), &value, err);
    if (rc == 1 && !keep_read_progress(value, p))
        rc = 0; /* of another version: read the input anew */
    done_reading(txn);
    return rc;
}

int spool_store(struct spool *s, char out[SPOOL_STORE_MAX], struct err *err)
{
    uint8_t key[KEY_MAX];
    struct slice value = {NULL, 0};
    MDB_txn *txn;
    int rc = get(s, &txn, key_of(s, key, 'S', NULL), &value, err);
    if (value.n >= SPOOL_STORE_MAX)
        value.n = 0;
    memcpy(out, value.n ? value.p : "", value.n);
    out[value.n] = 0;
    done_reading(txn);
    return rc < 0 ? rc : 0;
}

/* ---- writing ---- */

static int put_kept(struct spool *s, MDB_txn *txn, int64_t now, const struct ww_signal *signals, size_t n)
{
    uint8_t key[KEY_MAX];
    int rc = MDB_KEYEXIST;
    keep_signals(&s->bytes, signals, n);
    for (uint64_t number = 0; rc == MDB_KEYEXIST; number++) {
        MDB_val k = kept_key(s, key, now, number), v = {s->bytes.n, s->bytes.p};
        rc = mdb_put(txn, s->dbi, &k, &v, MDB_NOOVERWRITE);
    }
    return rc;
}

int spool_commit(struct spool *s, const char *input, const struct progress *p,
                 const struct ww_signal *signals, size_t n, int64_t now, struct err *err)
{
    uint8_t key[KEY_MAX];
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return fail(s, rc, "write", err);
    if (n)
        rc = put_kept(s, txn, now, signals, n);
    if (!rc && input) {
        keep_progress(&s->bytes, p);
        MDB_val k = key_of(s, key, 'I', input), v = {s->bytes.n, s->bytes.p};
        rc = mdb_put(txn, s->dbi, &k, &v, 0);
    }
    if (rc)
        mdb_txn_abort(txn);
    else
        rc = mdb_txn_commit(txn);
    return rc ? fail(s, rc, "write", err) : 0;
}

int spool_set_store(struct spool *s, const char *store, struct err *err)
{
    uint8_t key[KEY_MAX];
    char copy[SPOOL_STORE_MAX];
    size_t n = strnlen(store, sizeof copy - 1);
    memcpy(copy, store, n);
    MDB_txn *txn;
    MDB_val k = key_of(s, key, 'S', NULL), v = {n, copy};
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return fail(s, rc, "write", err);
    rc = mdb_put(txn, s->dbi, &k, &v, 0);
    if (rc)
        mdb_txn_abort(txn);
    else
        rc = mdb_txn_commit(txn);
    return rc ? fail(s, rc, "write", err) : 0;
}

/* ---- what is kept ---- */

static bool is_kept(const struct spool *s, MDB_val k)
{
    const uint8_t *p = k.mv_data;
    return k.mv_size == KEY_KEPT && p[0] == 'K' && memcmp(p + 1, s->name, NAME_LEN) == 0;
}

/* Moves to the first kept batch behind the cursor. */
static int next_kept(struct spool *s, struct spool_cursor *c, MDB_cursor *cur, MDB_val *k, MDB_val *v)
{
    if (c->n == 0) {
        *k = kept_key(s, c->key, 0, 0);
        c->n = KEY_KEPT;
        return mdb_cursor_get(cur, k, v, MDB_SET_RANGE);
    }
    *k = (MDB_val){c->n, c->key};
    int rc = mdb_cursor_get(cur, k, v, MDB_SET_RANGE);
    if (rc == 0 && k->mv_size == c->n && memcmp(k->mv_data, c->key, c->n) == 0)
        rc = mdb_cursor_get(cur, k, v, MDB_NEXT);
    return rc;
}

int spool_kept(struct spool *s, struct spool_cursor *c, struct arena *a, struct ww_signal **out, size_t *n,
               struct err *err)
{
    MDB_txn *txn;
    MDB_cursor *cur;
    MDB_val k, v;
    int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return fail(s, rc, "read", err);
    rc = mdb_cursor_open(txn, s->dbi, &cur);
    if (rc) {
        mdb_txn_abort(txn);
        return fail(s, rc, "read", err);
    }
    int found = 0;
    while (!found && (rc = next_kept(s, c, cur, &k, &v)) == 0 && is_kept(s, k)) {
        memcpy(c->key, k.mv_data, KEY_KEPT);
        found =
            keep_read_signals((struct slice){v.mv_data, v.mv_size}, a, out, n); /* else of another version */
    }
    mdb_cursor_close(cur);
    mdb_txn_abort(txn);
    return rc && rc != MDB_NOTFOUND ? fail(s, rc, "read", err) : found;
}

int spool_prune(struct spool *s, int64_t before, struct err *err)
{
    struct spool_cursor c = {.n = 0};
    MDB_txn *txn;
    MDB_cursor *cur;
    MDB_val k, v;
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return fail(s, rc, "write", err);
    uint8_t end[KEY_MAX];
    kept_key(s, end, before > 0 ? before : 0, 0);
    rc = mdb_cursor_open(txn, s->dbi, &cur);
    if (!rc) {
        rc = next_kept(s, &c, cur, &k, &v);
        while (!rc && is_kept(s, k) && memcmp(k.mv_data, end, KEY_KEPT) < 0) {
            rc = mdb_cursor_del(cur, 0);
            if (!rc)
                rc = mdb_cursor_get(cur, &k, &v, MDB_NEXT); /* LMDB: the one that came after the deleted */
        }
        mdb_cursor_close(cur);
    }
    if (rc == MDB_NOTFOUND) /* the end of the table */
        rc = 0;
    if (rc)
        mdb_txn_abort(txn);
    else
        rc = mdb_txn_commit(txn);
    return rc ? fail(s, rc, "write", err) : 0;
}
