/* Short texts (barcodes, chromosome names) -> numbers, for many threads at once: looking up takes no lock, a text that is new is
 * resolved once, under one.
 *
 * Texts of up to 24 bytes lie in the table itself, so that finding one costs one cache line; ask with grn_intern_key and
 * grn_intern_prefetch well before grn_intern_find. Texts end in front of a control character. */
#ifndef GRN_BUILD_INTERN_H
#define GRN_BUILD_INTERN_H

#include <endian.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#define GRN_INTERN_PAD 32 /* bytes readable behind any text that is asked for */

typedef struct {
    const char *s;
    uint32_t n;
    uint64_t w[3]; /* n <= 24: the bytes, zero behind; else two hashes */
    uint64_t hash;
} grn_intern_key_t;

typedef struct {
    uint64_t w[3];   /* as in the key; for long texts w[2] is where the text is kept */
    uint32_t value1; /* value + 1; 0 = free. Written last, read first */
    uint32_t n;
} grn_intern_slot_t;

typedef struct grn_intern_table_s {
    size_t mask;
    struct grn_intern_table_s *older; /* kept until the end: others may still be reading it */
    _Alignas(64) grn_intern_slot_t slot[]; /* none over two cache lines */
} grn_intern_table_t;

/* The value of a text met for the first time; never called twice at once. */
typedef grn_status (*grn_intern_fn)(void *ctx, const char *s, size_t n, uint32_t *value);

typedef struct {
    grn_intern_table_t *table; /* the current one; atomic */
    size_t n;
    grn_intern_fn resolve;
    void *ctx;
    void *texts; /* of long texts */
    pthread_mutex_t lock;
} grn_intern_t;

grn_status grn_intern_init(grn_intern_t *t, grn_intern_fn resolve, void *ctx) GRN_MUST_USE;
void grn_intern_clear(grn_intern_t *t); /* accepts zeroed */

/* The slow path of grn_intern_find. */
grn_status grn_intern_add(grn_intern_t *t, const grn_intern_key_t *k, uint32_t *value) GRN_MUST_USE;
void grn_intern_long_key(grn_intern_key_t *k);

static inline uint64_t grn_load64(const char *p) /* little-endian */
{
    uint64_t x;
    memcpy(&x, p, 8);
    return le64toh(x);
}

static inline uint64_t grn_fold_mul(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline void grn_intern_hash(grn_intern_key_t *k) /* of up to 24 bytes */
{
    k->hash = grn_fold_mul(k->w[0] ^ 0x9e3779b97f4a7c15u, k->w[1] ^ 0xd6e8feb86659fd93u ^ k->n);
    k->hash = grn_fold_mul(k->hash ^ 0xa0761d6478bd642fu, k->w[2] ^ 0xe7037ed1a0b428dbu);
}

static inline void grn_intern_key(grn_intern_key_t *k, const char *s, size_t n)
{
    k->s = s;
    k->n = (uint32_t)n;
    if (n > 24) {
        grn_intern_long_key(k);
        return;
    }
    uint64_t last = grn_load64(s + (n & ~(size_t)7)) & (((uint64_t)1 << 8 * (n & 7)) - 1);
    k->w[0] = n >= 8 ? grn_load64(s) : last;
    k->w[1] = n >= 16 ? grn_load64(s + 8) : n >= 8 ? last : 0;
    k->w[2] = n == 24 ? grn_load64(s + 16) : n >= 16 ? last : 0;
    grn_intern_hash(k);
}

/* The high bits of the bytes of x that are control characters; exact up to the first. */
static inline uint64_t grn_controls(uint64_t x)
{
    return (x - 0x2020202020202020u) & ~x & 0x8080808080808080u;
}

/* The key of the text that ends in front of the first control character at or behind s; returns its end. */
static inline const char *grn_intern_key_to_control(grn_intern_key_t *k, const char *s)
{
    uint64_t c, w = grn_load64(s);
    size_t n = 0;
    k->w[0] = k->w[1] = k->w[2] = 0;
    for (int i = 0; i < 3; i++, w = grn_load64(s + n)) {
        c = grn_controls(w);
        if (c) {
            n += (size_t)__builtin_ctzll(c) >> 3;
            k->w[i] = w & (((c & -c) >> 7) - 1); /* the bytes in front of it */
            k->s = s;
            k->n = (uint32_t)n;
            grn_intern_hash(k);
            return s + n;
        }
        k->w[i] = w;
        n += 8;
    }
    while (!(c = grn_controls(grn_load64(s + n)))) n += 8;
    n += (size_t)__builtin_ctzll(c) >> 3;
    grn_intern_key(k, s, n);
    return s + n;
}

static inline void grn_intern_prefetch(const grn_intern_t *t, const grn_intern_key_t *k)
{
    const grn_intern_table_t *b = __atomic_load_n(&t->table, __ATOMIC_ACQUIRE);
    __builtin_prefetch(&b->slot[k->hash & b->mask]);
}

static inline int grn_intern_same(const grn_intern_slot_t *s, const grn_intern_key_t *k)
{
    if (s->n != k->n || s->w[0] != k->w[0] || s->w[1] != k->w[1]) return 0;
    return k->n <= 24 ? s->w[2] == k->w[2] : memcmp((const char *)(uintptr_t)s->w[2], k->s, k->n) == 0;
}

static inline grn_status grn_intern_find(grn_intern_t *t, const grn_intern_key_t *k, uint32_t *value)
{
    const grn_intern_table_t *b = __atomic_load_n(&t->table, __ATOMIC_ACQUIRE);
    for (size_t i = k->hash & b->mask;; i = (i + 1) & b->mask) {
        uint32_t v = __atomic_load_n(&b->slot[i].value1, __ATOMIC_ACQUIRE);
        if (!v) return grn_intern_add(t, k, value);
        if (grn_intern_same(&b->slot[i], k)) {
            *value = v - 1;
            return GRN_OK;
        }
    }
}

#endif
