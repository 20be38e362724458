/* An object per cell, zeroed at first touch, for cells that are numbered while many threads work: objects never move. */
#ifndef GRN_BUILD_PERCELL_H
#define GRN_BUILD_PERCELL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

#define GRN_PERCELL_BITS 12
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

/* The object of a cell; NULL (message set): out of memory. */
static inline void *grn_percell_at(grn_percell_t *a, uint32_t cell)
{
    char **slot = &a->chunk[cell >> GRN_PERCELL_BITS], *c = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!c) {
        char *fresh = grn_calloc((size_t)1 << GRN_PERCELL_BITS, a->size);
        if (!fresh) return NULL;
        if (__atomic_compare_exchange_n(slot, &c, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) c = fresh;
        else free(fresh);
    }
    return c + (cell & (((uint32_t)1 << GRN_PERCELL_BITS) - 1)) * a->size;
}

#endif
