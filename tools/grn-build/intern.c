#include "intern.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/mem.h"

typedef struct text_s {
    struct text_s *next;
    char s[];
} text_t;

void grn_intern_long_key(grn_intern_key_t *k)
{
    XXH128_hash_t h = XXH3_128bits(k->s, k->n);
    k->w[0] = k->hash = h.low64;
    k->w[1] = h.high64;
    k->w[2] = 0;
}

static grn_intern_table_t *new_table(size_t n_slot)
{
    grn_intern_table_t *b = grn_malloc_large(1, sizeof *b + n_slot * sizeof *b->slot);
    if (!b) return NULL;
    memset(b, 0, sizeof *b + n_slot * sizeof *b->slot);
    b->mask = n_slot - 1;
    return b;
}

grn_status grn_intern_init(grn_intern_t *t, grn_intern_fn resolve, void *ctx)
{
    memset(t, 0, sizeof *t);
    t->resolve = resolve;
    t->ctx = ctx;
    t->table = new_table(1024);
    if (!t->table) return GRN_ENOMEM;
    pthread_mutex_init(&t->lock, NULL);
    return GRN_OK;
}

void grn_intern_clear(grn_intern_t *t)
{
    if (!t->table) return;
    for (grn_intern_table_t *b = t->table, *older; b; b = older) {
        older = b->older;
        free(b);
    }
    for (text_t *x = t->texts, *next; x; x = next) {
        next = x->next;
        free(x);
    }
    pthread_mutex_destroy(&t->lock);
    memset(t, 0, sizeof *t);
}

/* The slot of a key, or the free slot where it would go. Under the lock. */
static grn_intern_slot_t *slot_of(grn_intern_table_t *b, const grn_intern_key_t *k)
{
    size_t i = k->hash & b->mask;
    while (b->slot[i].value1 && !grn_intern_same(&b->slot[i], k)) i = (i + 1) & b->mask;
    return &b->slot[i];
}

static uint64_t hash_of(const grn_intern_slot_t *s)
{
    if (s->n > 24) return s->w[0];
    grn_intern_key_t k;
    char buf[24 + GRN_INTERN_PAD] = { 0 };
    uint64_t w[3] = { htole64(s->w[0]), htole64(s->w[1]), htole64(s->w[2]) };
    memcpy(buf, w, sizeof w);
    grn_intern_key(&k, buf, s->n);
    return k.hash;
}

static grn_status grow(grn_intern_t *t)
{
    grn_intern_table_t *old = t->table, *b = new_table(2 * (old->mask + 1));
    if (!b) return GRN_ENOMEM;
    for (size_t i = 0; i <= old->mask; i++) {
        if (!old->slot[i].value1) continue;
        size_t k = hash_of(&old->slot[i]) & b->mask;
        while (b->slot[k].value1) k = (k + 1) & b->mask;
        b->slot[k] = old->slot[i];
    }
    b->older = old;
    __atomic_store_n(&t->table, b, __ATOMIC_RELEASE);
    return GRN_OK;
}

static grn_status keep_text(grn_intern_t *t, const grn_intern_key_t *k, uint64_t *at)
{
    text_t *x = grn_malloc(1, sizeof *x + k->n);
    if (!x) return GRN_ENOMEM;
    memcpy(x->s, k->s, k->n);
    x->next = t->texts;
    t->texts = x;
    *at = (uint64_t)(uintptr_t)x->s;
    return GRN_OK;
}

static grn_status add_locked(grn_intern_t *t, const grn_intern_key_t *k, uint32_t *value)
{
    grn_status rc = GRN_OK;
    grn_intern_slot_t *s = slot_of(t->table, k); /* another thread may have been here first */
    if (s->value1) {
        *value = s->value1 - 1;
        return GRN_OK;
    }
    if (2 * (t->n + 1) > t->table->mask) {
        GRN_TRY(grow(t));
        s = slot_of(t->table, k);
    }
    GRN_TRY(t->resolve(t->ctx, k->s, k->n, value));
    s->n = k->n;
    memcpy(s->w, k->w, sizeof s->w);
    if (k->n > 24) GRN_TRY(keep_text(t, k, &s->w[2]));
    __atomic_store_n(&s->value1, *value + 1, __ATOMIC_RELEASE);
    t->n++;
end:
    return rc;
}

grn_status grn_intern_add(grn_intern_t *t, const grn_intern_key_t *k, uint32_t *value)
{
    pthread_mutex_lock(&t->lock);
    grn_status rc = add_locked(t, k, value);
    pthread_mutex_unlock(&t->lock);
    return rc;
}
