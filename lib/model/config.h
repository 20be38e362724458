/* What a model is: every choice that changes its numbers, kept as JSON in the metadata of a grn.model/1 file ("config").
 *
 * The backbone follows scGPT (Cui 2024; SPEC_MODEL 1): binned values, continuous value encoder, no positions, post-norm
 * layers with ReLU, here with the BERT-style objective. The graph part follows GRNFormer: two graphs through one GraphSAGE,
 * sum, cross-attention. */
#ifndef GRN_MODEL_CONFIG_H
#define GRN_MODEL_CONFIG_H

#include <stdint.h>

#include "base/err.h"
#include "graph/csr.h"
#include "graph/perturb.h"

typedef enum {
    GRN_GRN_NONE,   /* the last layer is an ordinary transformer layer */
    GRN_GRN_RANDOM, /* one graph: G_type with its arcs rewired, every degree kept */
    GRN_GRN_TYPE,   /* one graph: G_type */
    GRN_GRN_CELL,   /* one graph: G_cell */
    GRN_GRN_HYBRID  /* both, summed: GRNFormer */
} grn_grn_kind;

typedef struct {
    int64_t dim, layers, heads, ffn; /* width; layers in all, the last one being the fusion unless grn = none */
    int64_t tokens;                  /* longest sequence, <cls> included */
    int64_t bins;                    /* values 0..bins-1, 0 = not expressed */
    double zeros;                    /* share of the gene tokens that are genes without a count, 0..0.9 */
    double mask;                     /* share of gene tokens that is masked; 0: each cell draws one of 0.25, 0.5, 0.75 */
    double dropout;
    grn_grn_kind grn;
    grn_perturb_kind perturb;
    double alpha;   /* share of arcs perturbed in training */
    double beta;    /* weight of the fusion */
    int64_t fanout; /* neighbours sampled per node and layer in training; evaluation takes all */
    grn_dir direction;
    int ln_kv;     /* layer norm on h_struct before keys and values */
    uint64_t seed; /* initial weights, tokens, masks, perturbation, sampling, order of cells */
} grn_model_config_t;

/* The defaults: 64 wide, 3 layers, 4 heads, ffn 64, 128 tokens, 51 bins, hybrid with co-expression perturbation 0.2. */
void grn_model_config_init(grn_model_config_t *c);
/* GRN_EINVAL with one message for the first rule that is broken (heads divide dim, layers >= 2, ...). */
grn_status grn_model_config_check(const grn_model_config_t *c) GRN_MUST_USE;

/* JSON text, malloc'ed, keys sorted; and back (unknown keys are ignored, missing ones are GRN_EFORMAT). */
grn_status grn_model_config_json(const grn_model_config_t *c, char **out) GRN_MUST_USE;
grn_status grn_model_config_parse(grn_model_config_t *c, const char *json) GRN_MUST_USE;

/* Words of the two enums as on the command line: "none|random|type|cell|hybrid", "none|random|coexpr|list". NULL /
 * GRN_EINVAL if unknown. */
const char *grn_grn_name(grn_grn_kind k);
grn_status grn_grn_parse(const char *word, grn_grn_kind *k) GRN_MUST_USE;
const char *grn_perturb_name(grn_perturb_kind k);
grn_status grn_perturb_parse(const char *word, grn_perturb_kind *k) GRN_MUST_USE;

#endif
