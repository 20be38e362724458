/* Does the encoder know links it has not seen? Held-out TF -> gene arcs against arcs of the same TF
 * to genes it is not linked to in any context, scored by the dot product of the embeddings on the
 * training graph; beside it what the degrees alone give, and a random score. */
#ifndef GRN_EMBED_LINK_H
#define GRN_EMBED_LINK_H

#include "base/par.h"
#include "grn-embed/encoder.h"
#include "grn-embed/graphs.h"
#include "io/result.h"

/* out: kind "embed.link", columns method$, auroc, lo, hi (95 %, bootstrap over TFs), auprc, n_pos,
 * n_neg; rows embedding, degree, random. One negative per held-out arc, keyed by names. GRN_EEMPTY
 * when there are fewer than 10 pairs. out must be empty. */
grn_status embed_link_test(encoder_t *e, const embed_graphs_t *g, grn_par_t *pool,
                           grn_result_t *out) GRN_MUST_USE;

#endif
