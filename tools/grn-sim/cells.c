/* Who the cells are: barcode, type, donor, depth, and which regulons are on. All from the cell's
 * own streams. */
#include "sim.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    double depth_sd, frags_sd,
        quality;     /* log sd of UMIs and fragments of a cell; correlation of the two */
    double together; /* correlation of the latent states of TFs of one programme */
    double level_sd; /* log sd of the activity of an active TF */
} par = { 0.42, 0.45, 0.3, 0.3, 0.2 };

grn_status grn_sim_cell_init(const grn_sim_t *s, grn_sim_cell_t *c)
{
    memset(c, 0, sizeof *c);
    if (GRN_NEW(c->a, s->tfs.n) || GRN_NEW(c->is_on, s->tfs.n)) {
        grn_sim_cell_clear(c);
        return GRN_ENOMEM;
    }
    return GRN_OK;
}

void grn_sim_cell_clear(grn_sim_cell_t *c)
{
    free(c->a);
    free(c->is_on);
    memset(c, 0, sizeof *c);
}

/* The barcode of cell k: a four-round Feistel network on 32 bits, so that no two are equal, written
 * as 16 bases. */
static void spell_barcode(uint64_t seed, uint64_t k, char out[GRN_SIM_BARCODE_N + 1])
{
    uint32_t l = (uint32_t)(k >> 16) & 0xffff, r = (uint32_t)k & 0xffff;
    for (uint64_t round = 0; round < 4; round++) {
        uint32_t f = (uint32_t)grn_rng_key(seed, "sim.barcode", round, r) & 0xffff, t = l ^ f;
        l = r;
        r = t;
    }
    uint32_t x = l << 16 | r;
    for (int i = 0; i < 16; i++) out[i] = "ACGT"[x >> (30 - 2 * i) & 3];
    memcpy(out + 16, "-1", 3);
}

/* Each TF follows a latent normal that shares a part with the other TFs of its programme: P(on) is
 * exactly `on`, states are correlated. */
static void draw_states(const grn_sim_t *s, grn_rng_t *r, grn_sim_cell_t *c)
{
    double shared[8], own = sqrt(1 - par.together), common = sqrt(par.together);
    for (uint32_t p = 0; p < s->n_programmes; p++) shared[p] = grn_rng_normal(r);
    for (size_t t = 0; t < s->tfs.n; t++) {
        double p = s->on[t * s->types.n + c->type],
               z = common * shared[s->tf[t].programme] + own * grn_rng_normal(r),
               level = grn_rng_normal(r);
        c->is_on[t] = p > 0 && 0.5 * erfc(-z / sqrt(2.0)) < p;
        c->a[t] =
            c->is_on[t] ? (float)exp(par.level_sd * level - par.level_sd * par.level_sd / 2) : 0;
    }
}

void grn_sim_cell(const grn_sim_t *s, uint64_t k, grn_sim_cell_t *c)
{
    grn_rng_t r;
    spell_barcode(s->o.seed, k, c->barcode);
    c->hash = grn_hash_str(c->barcode);
    grn_rng_init(&r, s->o.seed, "sim.cell", c->hash);
    double u = grn_rng_unif(&r);
    for (c->type = 0; c->type + 1 < s->types.n && u >= s->type_cum[c->type];) c->type++;
    c->donor = (uint32_t)grn_rng_below(&r, s->donors.n);
    double z = grn_rng_normal(&r),
           y = par.quality * z + sqrt(1 - par.quality * par.quality) * grn_rng_normal(&r);
    c->depth = s->o.depth * exp(par.depth_sd * z - par.depth_sd * par.depth_sd / 2);
    c->frags = s->o.frags * exp(par.frags_sd * y - par.frags_sd * par.frags_sd / 2);
    draw_states(s, &r, c);
}

void grn_sim_cell_virtual(const grn_sim_t *s, uint32_t type, uint32_t i, grn_sim_cell_t *c)
{
    grn_rng_t r;
    c->type = type;
    c->donor = i % (uint32_t)s->donors.n;
    grn_rng_init2(&r, s->o.seed, "sim.virtual", type, i);
    draw_states(s, &r, c);
}
