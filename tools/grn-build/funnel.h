/* What each filter kept and lost: printed as the run goes, stored as JSON in the metadata
 * ("funnel") of what is written. */
#ifndef GRN_BUILD_FUNNEL_H
#define GRN_BUILD_FUNNEL_H

#include <stdint.h>

#include "base/str.h"

typedef struct {
    grn_str_t json; /* open list: "[{...},{...}" */
    size_t n;
    int quiet; /* add nothing, print nothing */
} grn_funnel_t;

void grn_funnel_clear(grn_funnel_t *f);
/* One filter: `step` says what passes, `unit` what is counted ("genes", "links", "triplets").
 * Prints "step: kept N unit, lost M". */
grn_status grn_funnel_add(grn_funnel_t *f, const char *unit, uint64_t kept, uint64_t lost,
                          const char *step, ...) GRN_PRINTF(5, 6) GRN_MUST_USE;
/* The list as JSON: [{"step","unit","kept","lost"}, ...]; borrowed, valid until the next call.
 * NULL: out of memory. */
const char *grn_funnel_json(grn_funnel_t *f);
/* s (UTF-8) as a JSON string, appended. */
grn_status grn_funnel_quote(grn_str_t *b, const char *s) GRN_MUST_USE;

#endif
