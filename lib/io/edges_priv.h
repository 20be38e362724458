/* The standard columns of edges: where they live in the object, how they are stored, which dictionary they index. Private to lib/io. */
#ifndef GRN_IO_EDGES_PRIV_H
#define GRN_IO_EDGES_PRIV_H

#include "io/container.h"
#include "io/edges.h"

typedef struct {
    const char *name;
    grn_dtype dtype;
    size_t at;   /* offset of the pointer in grn_edges_t */
    size_t dict; /* offset of the dictionary, 0: none */
    const char *names;
} grn_edge_column_t;

enum { GRN_EDGE_COLUMNS = 7 };
extern const grn_edge_column_t grn_edge_columns[GRN_EDGE_COLUMNS]; /* tf, gene, region, regulon, context, sign, weight */

static inline void **grn_edge_slot(const grn_edges_t *e, const grn_edge_column_t *c)
{
    return (void **)((char *)(uintptr_t)e + c->at);
}
static inline grn_names_t *grn_edge_dict(const grn_edges_t *e, const grn_edge_column_t *c)
{
    return (grn_names_t *)((char *)(uintptr_t)e + c->dict);
}
static inline uint32_t grn_edge_id(const grn_edge_column_t *c, const void *v, size_t i)
{
    return c->dtype == GRN_U16 ? ((const uint16_t *)v)[i] : ((const uint32_t *)v)[i];
}

#endif
