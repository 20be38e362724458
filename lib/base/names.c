#include "base/names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

uint64_t grn_hash(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

uint64_t grn_hash_str(const char *s)
{
    return XXH3_64bits(s, strlen(s));
}

void grn_names_clear(grn_names_t *d)
{
    free(d->buf);
    free(d->off);
    free(d->slot);
    memset(d, 0, sizeof *d);
}

const char *grn_names_get(const grn_names_t *d, size_t i)
{
    return d->buf + d->off[i];
}

static size_t name_len(const grn_names_t *d, size_t i)
{
    return (size_t)((i + 1 < d->n ? d->off[i + 1] : d->buf_n) - d->off[i]) - 1;
}

/* Slot of the name, or the free slot where it would go. */
static size_t slot_of(const grn_names_t *d, const char *name, size_t len)
{
    size_t mask = d->n_slot - 1, k = (size_t)grn_hash(name, len) & mask;
    for (; d->slot[k]; k = (k + 1) & mask) {
        size_t i = d->slot[k] - 1;
        if (name_len(d, i) == len && memcmp(grn_names_get(d, i), name, len) == 0) break;
    }
    return k;
}

static grn_status rehash(grn_names_t *d, size_t n_slot)
{
    uint32_t *slot;
    if (GRN_NEW(slot, n_slot)) return GRN_ENOMEM;
    free(d->slot);
    d->slot = slot;
    d->n_slot = n_slot;
    for (size_t i = 0; i < d->n; i++)
        slot[slot_of(d, grn_names_get(d, i), name_len(d, i))] = (uint32_t)i + 1;
    return GRN_OK;
}

grn_status grn_names_add_n(grn_names_t *d, const char *name, size_t len, size_t *idx, int *is_new)
{
    if (memchr(name, 0, len) || memchr(name, '\n', len))
        return grn_err(GRN_EFORMAT, "a name holds a NUL or newline byte");
    if (d->n >= UINT32_MAX - 1) return grn_err(GRN_EUNSUP, "more than 4,294,967,294 names");
    if (d->n * 2 >= d->n_slot && rehash(d, d->n_slot ? d->n_slot * 2 : 64)) return GRN_ENOMEM;
    size_t k = slot_of(d, name, len);
    if (is_new) *is_new = !d->slot[k];
    if (!d->slot[k]) {
        if (GRN_GROW(d->off, d->off_cap, d->n + 1) ||
            GRN_GROW(d->buf, d->buf_cap, d->buf_n + len + 1))
            return GRN_ENOMEM;
        memcpy(d->buf + d->buf_n, name, len);
        d->buf[d->buf_n + len] = 0;
        d->off[d->n] = d->buf_n;
        d->buf_n += len + 1;
        d->slot[k] = (uint32_t)++d->n;
    }
    if (idx) *idx = d->slot[k] - 1;
    return GRN_OK;
}

grn_status grn_names_add(grn_names_t *d, const char *name, size_t *idx, int *is_new)
{
    return grn_names_add_n(d, name, strlen(name), idx, is_new);
}

size_t grn_names_find_n(const grn_names_t *d, const char *name, size_t len)
{
    if (!d->n_slot) return GRN_NAMES_NONE;
    size_t k = slot_of(d, name, len);
    return d->slot[k] ? d->slot[k] - 1 : GRN_NAMES_NONE;
}

size_t grn_names_find(const grn_names_t *d, const char *name)
{
    return grn_names_find_n(d, name, strlen(name));
}

grn_status grn_names_dup(grn_names_t *out, const grn_names_t *d)
{
    for (size_t i = 0; i < d->n; i++)
        if (grn_names_add(out, grn_names_get(d, i), NULL, NULL)) {
            grn_names_clear(out);
            return GRN_ENOMEM;
        }
    return GRN_OK;
}

int grn_names_equal(const grn_names_t *a, const grn_names_t *b)
{
    return a->n == b->n && a->buf_n == b->buf_n &&
           (a->n == 0 || memcmp(a->buf, b->buf, a->buf_n) == 0);
}

grn_status grn_names_join(const grn_names_t *d, char **out, size_t *n)
{
    char *s;
    if (GRN_NEW_RAW(s, d->buf_n + 1)) return GRN_ENOMEM;
    for (size_t i = 0; i < d->buf_n; i++) s[i] = d->buf[i] ? d->buf[i] : '\n';
    s[d->buf_n] = '\0';
    *out = s;
    *n = d->buf_n;
    return GRN_OK;
}

grn_status grn_names_split(grn_names_t *d, const char *text, size_t n)
{
    grn_status rc = GRN_OK;
    size_t i = 0;
    while (i < n) {
        const char *nl = memchr(text + i, '\n', n - i);
        int is_new;
        if (!nl) GRN_FAIL(GRN_EFORMAT, "the last name is not ended by a newline");
        size_t len = (size_t)(nl - (text + i));
        GRN_TRY(grn_names_add_n(d, text + i, len, NULL, &is_new));
        if (!is_new)
            GRN_FAIL(GRN_EFORMAT, "duplicate name '%.*s'", (int)(len > 200 ? 200 : len), text + i);
        i += len + 1;
    }
end:
    if (rc) grn_names_clear(d);
    return rc;
}

static int by_name(const void *a, const void *b, void *d)
{
    return strcmp(grn_names_get(d, *(const uint32_t *)a), grn_names_get(d, *(const uint32_t *)b));
}

grn_status grn_names_sort(const grn_names_t *d, uint32_t *order)
{
    for (size_t i = 0; i < d->n; i++) order[i] = (uint32_t)i;
    if (d->n) qsort_r(order, d->n, sizeof *order, by_name, (void *)d);
    return GRN_OK;
}
