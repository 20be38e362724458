/* An object per cell, zeroed at first touch, for cells that are numbered while many threads work: objects never move. Objects
 * of whole cache lines begin at one. */
#ifndef GRN_BUILD_PERCELL_H
#define GRN_BUILD_PERCELL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define GRN_PERCELL_BITS 15
#define GRN_PERCELL_CHUNKS ((size_t)1 << (32 - GRN_PERCELL_BITS))

typedef struct {
    size_t size;  /* of one object */
    char **chunk; /* (GRN_PERCELL_CHUNKS), NULL until touched */
} grn_percell_t;

static inline grn_status grn_percell_init(grn_percell_t *a, size_t size)
{
    a->size = size;
    return GRN_NEW(a->chunk, GRN_PERCELL_CHUNKS);
}

static inline void grn_percell_clear(grn_percell_t *a)
{
    for (size_t i = 0; a->chunk && i < GRN_PERCELL_CHUNKS; i++) free(a->chunk[i]);
    free(a->chunk);
    a->chunk = NULL;
}

/* A chunk that is not there yet; NULL (message set): out of memory. */
static inline char *grn_percell_add(grn_percell_t *a, char **slot)
{
    char *c = NULL, *fresh = grn_malloc_large((size_t)1 << GRN_PERCELL_BITS, a->size);
    if (!fresh) return NULL;
    memset(fresh, 0, a->size << GRN_PERCELL_BITS);
    if ( __atomic_compare_exchange_n(slot, &c, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return fresh;
    free(fresh);
    return c;
}

/* The object of a cell; NULL: not touched yet, nor are its neighbours. */
static inline void *grn_percell_peek(const grn_percell_t *a, uint32_t cell)
{
    char *c = __atomic_load_n(&a->chunk[cell >> GRN_PERCELL_BITS], __ATOMIC_ACQUIRE);
    return c ? c + (cell & (((uint32_t)1 << GRN_PERCELL_BITS) - 1)) * a->size : NULL;
}

/* The object of a cell; NULL (message set): out of memory. */
static inline void *grn_percell_at(grn_percell_t *a, uint32_t cell)
{
    char **slot = &a->chunk[cell >> GRN_PERCELL_BITS], *c = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!c && !(c = grn_percell_add(a, slot))) return NULL;
    return c + (cell & (((uint32_t)1 << GRN_PERCELL_BITS) - 1)) * a->size;
}

#endif
