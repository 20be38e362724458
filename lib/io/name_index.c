#include "io/name_index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    uint32_t hash, at;
} entry_t;

struct grn_name_index_s {
    grn_cr_t *r;
    const grn_tensor_info_t *names, *index; /* index NULL: the file has none */
    uint64_t n, n_blocks;
    uint64_t *offset; /* (n_blocks) */
    char *all;        /* the whole text, of a file without index */
    char *text;       /* the block at hand, its newlines made NULs */
    size_t cap;
    uint64_t block; /* which; GRN_NAME_NOWHERE: none */
    uint32_t begin[GRN_NAME_BLOCK + 1];
    entry_t *entry; /* part of the index */
    size_t entry_cap;
};

static uint32_t hash_of(const char *name)
{
    return (uint32_t)(grn_hash_str(name) >> 32);
}

static uint64_t blocks_of(uint64_t n)
{
    return (n + GRN_NAME_BLOCK - 1) / GRN_NAME_BLOCK;
}

static int by_entry(const void *a, const void *b)
{
    const entry_t *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* ---- made from the names ---- */

static grn_status make(const grn_names_t *d, entry_t **entry, uint64_t **offset)
{
    grn_status rc = GRN_OK;
    *entry = NULL;
    GRN_TRY(GRN_NEW_RAW(*entry, d->n));
    GRN_TRY(GRN_NEW_RAW(*offset, blocks_of(d->n)));
    for (size_t i = 0; i < d->n; i++) {
        (*entry)[i] = (entry_t){ hash_of(grn_names_get(d, i)), (uint32_t)i };
        if (i % GRN_NAME_BLOCK == 0) (*offset)[i / GRN_NAME_BLOCK] = d->off[i];
    }
    if (d->n) qsort(*entry, d->n, sizeof **entry, by_entry);
end:
    return rc;
}

static void name_tensors(const char *key, char name[3][300])
{
    snprintf(name[0], 300, "names.%.250s", key);
    snprintf(name[1], 300, "index.%.250s", key);
    snprintf(name[2], 300, "offset.%.250s", key);
}

grn_status grn_cw_names_indexed(grn_cw_t *w, const char *key, const grn_names_t *d)
{
    grn_status rc = GRN_OK;
    entry_t *entry = NULL;
    uint64_t *offset = NULL, shape[2] = { d->n, 2 };
    char name[3][300];
    name_tensors(key, name);
    GRN_TRY(make(d, &entry, &offset));
    GRN_TRY(grn_cw_names(w, name[0], d));
    GRN_TRY(grn_cw_tensor(w, name[1], GRN_U32, 2, shape, entry));
    GRN_TRY(grn_cw_vec(w, name[2], GRN_U64, blocks_of(d->n), offset));
end:
    free(entry);
    free(offset);
    return rc;
}

/* ---- opened ---- */

/* The two tensors, or neither. */
static grn_status find_index(grn_cr_t *r, const char *key, uint64_t n, const grn_tensor_info_t **index, uint64_t **offset)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *t;
    char name[3][300];
    name_tensors(key, name);
    *index = NULL;
    *offset = NULL;
    if (!grn_cr_find(r, name[1]) && !grn_cr_find(r, name[2])) return GRN_OK;
    GRN_TRY(grn_cr_need(r, name[1], GRN_U32, 2, index));
    GRN_TRY(grn_cr_need(r, name[2], GRN_U64, 1, &t));
    if ((*index)->shape[0] != n || (*index)->shape[1] != 2 || t->shape[0] != blocks_of(n))
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' and '%s' are not those of %llu names", grn_cr_path(r), name[1], name[2],
                 (unsigned long long)n);
    rc = grn_cr_load(r, t, (void **)offset);
end:
    return rc;
}

static grn_status bad_names(const grn_name_index_t *x)
{
    return grn_err(GRN_EFORMAT, "'%s': tensor '%s' does not hold %llu names", grn_cr_path(x->r), x->names->name,
                   (unsigned long long)x->n);
}

/* Offsets of a file that has none. */
static grn_status scan(grn_name_index_t *x)
{
    grn_status rc = GRN_OK;
    uint64_t n_bytes = x->names->n_bytes, at = 0, i = 0;
    GRN_TRY(grn_cr_load(x->r, x->names, (void **)&x->all));
    GRN_TRY(GRN_NEW_RAW(x->offset, x->n_blocks));
    for (; i < x->n && at < n_bytes; i++) {
        if (i % GRN_NAME_BLOCK == 0) x->offset[i / GRN_NAME_BLOCK] = at;
        const char *nl = memchr(x->all + at, '\n', n_bytes - at);
        if (!nl) break;
        at = (uint64_t)(nl - x->all) + 1;
    }
    if (i != x->n || at != n_bytes) rc = bad_names(x);
end:
    return rc;
}

grn_status grn_name_index_open(grn_name_index_t **out, grn_cr_t *r, const char *key, uint64_t n)
{
    grn_status rc = GRN_OK;
    grn_name_index_t *x;
    char name[3][300];
    name_tensors(key, name);
    *out = NULL;
    if (GRN_NEW(x, 1)) return GRN_ENOMEM;
    x->r = r;
    x->n = n;
    x->n_blocks = blocks_of(n);
    x->block = GRN_NAME_NOWHERE;
    GRN_TRY(grn_cr_need(r, name[0], GRN_U8, 1, &x->names));
    GRN_TRY(find_index(r, key, n, &x->index, &x->offset));
    if (!x->offset) GRN_TRY(scan(x));
    *out = x;
    x = NULL;
end:
    grn_name_index_close(x);
    return rc;
}

void grn_name_index_close(grn_name_index_t *x)
{
    if (!x) return;
    free(x->offset);
    free(x->all);
    free(x->text);
    free(x->entry);
    free(x);
}

/* ---- a block of names ---- */

static grn_status load_block(grn_name_index_t *x, uint64_t k)
{
    grn_status rc = GRN_OK;
    uint64_t from = x->offset[k], to = k + 1 < x->n_blocks ? x->offset[k + 1] : x->names->n_bytes;
    uint64_t n = k + 1 < x->n_blocks ? GRN_NAME_BLOCK : x->n - k * GRN_NAME_BLOCK, i = 0;
    if (x->block == k) return GRN_OK;
    x->block = GRN_NAME_NOWHERE;
    if (from > to || to > x->names->n_bytes || to - from > UINT32_MAX) return bad_names(x);
    GRN_TRY(GRN_GROW(x->text, x->cap, to - from));
    if (x->all) memcpy(x->text, x->all + from, to - from);
    else GRN_TRY(grn_cr_read(x->r, x->names, from, x->text, to - from));
    x->begin[0] = 0;
    for (char *p = x->text, *end = x->text + (to - from), *nl; i < n && p < end && (nl = memchr(p, '\n', (size_t)(end - p)));
         p = nl + 1) {
        *nl = 0;
        x->begin[++i] = (uint32_t)(nl + 1 - x->text);
    }
    if (i != n || x->begin[n] != to - from) return bad_names(x);
    x->block = k;
end:
    return rc;
}

grn_status grn_name_index_get(grn_name_index_t *x, uint64_t i, const char **name)
{
    if (i >= x->n) return grn_err(GRN_EINVAL, "name %llu of %llu", (unsigned long long)i, (unsigned long long)x->n);
    grn_status rc = load_block(x, i / GRN_NAME_BLOCK);
    if (!rc) *name = x->text + x->begin[i % GRN_NAME_BLOCK];
    return rc;
}

/* ---- by name ---- */

/* Entries [*lo, *hi) of the index into x->entry, such that all of this hash are among them: around where a uniform hash is expected,
 * and twice as wide for as long as the ends do not enclose it. */
static grn_status read_around(grn_name_index_t *x, uint32_t hash, uint64_t *lo, uint64_t *hi)
{
    double share = (hash + 0.5) / 4294967296.0, sd = sqrt((double)x->n * share * (1 - share));
    uint64_t middle = (uint64_t)((double)x->n * share), half = 64 + (uint64_t)(4 * sd);
    grn_status rc;
    for (;; half *= 2) {
        *lo = middle > half ? middle - half : 0;
        *hi = x->n - middle > half ? middle + half : x->n;
        if ((rc = GRN_GROW(x->entry, x->entry_cap, *hi - *lo))) return rc;
        if ((rc = grn_cr_read(x->r, x->index, *lo * sizeof(entry_t), x->entry, (*hi - *lo) * sizeof(entry_t)))) return rc;
        if ((*lo == 0 || x->entry[0].hash < hash) && (*hi == x->n || x->entry[*hi - *lo - 1].hash > hash)) return GRN_OK;
    }
}

static grn_status find_indexed(grn_name_index_t *x, const char *name, uint64_t *at)
{
    uint32_t hash = hash_of(name);
    uint64_t lo, hi;
    grn_status rc = x->n ? read_around(x, hash, &lo, &hi) : GRN_OK;
    if (rc || !x->n) return rc;
    size_t a = 0, b = hi - lo;
    while (a < b) { /* the first entry of at least this hash */
        size_t mid = a + (b - a) / 2;
        if (x->entry[mid].hash < hash) a = mid + 1;
        else b = mid;
    }
    for (; a < hi - lo && x->entry[a].hash == hash; a++) {
        const char *found;
        if (x->entry[a].at >= x->n)
            return grn_err(GRN_EFORMAT, "'%s': tensor '%s' holds entry %u of %llu", grn_cr_path(x->r), x->index->name, x->entry[a].at,
                           (unsigned long long)x->n);
        if ((rc = grn_name_index_get(x, x->entry[a].at, &found))) return rc;
        if (strcmp(found, name) == 0) return *at = x->entry[a].at, GRN_OK;
    }
    return GRN_OK;
}

static void find_in_text(const grn_name_index_t *x, const char *name, uint64_t *at)
{
    size_t n = strlen(name);
    const char *p = x->all, *end = x->all + x->names->n_bytes;
    for (uint64_t i = 0; i < x->n; i++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if ((size_t)(nl - p) == n && memcmp(p, name, n) == 0) {
            *at = i;
            return;
        }
        p = nl + 1;
    }
}

grn_status grn_name_index_find(grn_name_index_t *x, const char *name, uint64_t *at)
{
    *at = GRN_NAME_NOWHERE;
    if (x->index) return find_indexed(x, name, at);
    find_in_text(x, name, at);
    return GRN_OK;
}

/* ---- checked ---- */

grn_status grn_name_index_check(grn_cr_t *r, const char *key, const grn_names_t *d)
{
    grn_status rc = GRN_OK;
    const grn_tensor_info_t *index;
    entry_t *entry = NULL, *want_entry = NULL;
    uint64_t *offset = NULL, *want_offset = NULL;
    GRN_TRY(find_index(r, key, d->n, &index, &offset));
    if (!index) goto end;
    GRN_TRY(grn_cr_load(r, index, (void **)&entry));
    GRN_TRY(make(d, &want_entry, &want_offset));
    if (d->n && (memcmp(entry, want_entry, d->n * sizeof *entry) || memcmp(offset, want_offset, blocks_of(d->n) * sizeof *offset)))
        GRN_FAIL(GRN_EFORMAT, "'%s': index.%s or offset.%s is not that of names.%s", grn_cr_path(r), key, key, key);
end:
    free(entry);
    free(want_entry);
    free(offset);
    free(want_offset);
    return rc;
}
