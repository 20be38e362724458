/* From activity to expectation: the rate of every gene and the openness of every region in a cell,
 * and the scales that turn them into UMIs and fragments. */
#include "sim.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* docs/simulator.md gives the sources and the fits behind these numbers. */
static const struct {
    double tail_share, tail_at,
        tail_sd; /* ribosomal-like housekeeping genes: share, log level / gene_sd, sd */
    double phi, phi_sd,
        phi_hk; /* median dispersion 1/theta, its log sd, that of housekeeping genes */
    double type_sd, type_sd_hk, typed_up; /* log differences of unregulated genes between types */
    double donor_sd;
    double tf_on, tf_on_sd,
        tf_off;     /* mRNA of TFs: active (in units of a typical gene), inactive relative to it */
    double ceiling; /* largest |log fold change| of all regulators of a gene together */
    double open_enhancer, open_repressed, open_promoter, open_decoy, open_closed;
    int n_virtual; /* cells per type that set the scales */
} par = { 0.15, 2.8, 1.2, 0.3, 0.7,  0.12, 0.3, 0.08, 2.0,  0.1,
          2.6,  0.5, 0.1, 3.0, 0.05, 0.85, 0.8, 0.7,  0.03, 200 };

static void draw_basal(grn_sim_t *s, size_t g)
{
    grn_sim_gene_t *x = &s->gene[g];
    double sd = s->o.gene_sd;
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.basal", grn_hash_str(grn_names_get(&s->genes, g)));
    s->theta[g] = 1 / grn_sim_lognormal(&r, x->kind == GRN_SIM_HOUSEKEEPING ? par.phi_hk : par.phi,
                                        par.phi_sd);
    if (x->kind == GRN_SIM_HOUSEKEEPING)
        x->basal = grn_rng_unif(&r) < par.tail_share
                       ? exp(par.tail_at * sd + par.tail_sd * grn_rng_normal(&r))
                       : grn_sim_lognormal(&r, exp(0.5 * sd), 0.6 * sd);
    else if (x->kind == GRN_SIM_REGULATED) x->basal = grn_sim_lognormal(&r, 0.6, 0.7 * sd);
    else if (x->kind == GRN_SIM_TF) x->basal = 1;
    else x->basal = grn_sim_lognormal(&r, 1, sd);
    if (x->tf == UINT32_MAX) return;
    grn_sim_tf_t *t = &s->tf[x->tf];
    t->mrna_on = grn_sim_lognormal(&r, par.tf_on * exp(sd * sd / 4), par.tf_on_sd);
    t->mrna_off = t->flat ? t->mrna_on : t->mrna_on * par.tf_off;
}

/* Unregulated differences between types; a TF where its regulon is never on sits at a low level of
 * its own. */
static void draw_types_of(grn_sim_t *s, size_t g)
{
    const grn_sim_gene_t *x = &s->gene[g];
    size_t n_types = s->types.n, n_up = 0;
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.type.rate", grn_hash_str(grn_names_get(&s->genes, g)));
    for (size_t k = 0; k < n_types; k++) {
        double z = grn_rng_normal(&r),
               f = exp((x->kind == GRN_SIM_HOUSEKEEPING ? par.type_sd_hk : par.type_sd) * z);
        int up = grn_rng_unif(&r) < 1.5 / (double)n_types || (k + 1 == n_types && !n_up);
        n_up += (size_t)up;
        if (x->kind == GRN_SIM_TYPED) f *= up ? exp(par.typed_up + 0.4 * z) : 0.5;
        if (x->kind == GRN_SIM_TF && s->tf[x->tf].kind == GRN_SIM_IDLE) f *= up ? 1 : 0.2;
        s->rate[k * s->genes.n + g] = x->basal * f;
    }
}

/* Genes under a repressor are made to be expressed without it. */
static void raise_repressed(grn_sim_t *s)
{
    for (size_t t = 0; t < s->tfs.n; t++)
        for (uint32_t i = s->pair_off[t]; s->tf[t].sign < 0 && i < s->pair_off[t + 1]; i++)
            s->gene[s->pair_gene[i]].basal *= exp(0.7 * s->pair_w[i]);
}

static grn_status draw_donors(grn_sim_t *s)
{
    size_t n = s->genes.n;
    if (GRN_NEW(s->donor_gene, s->donors.n * n)) return GRN_ENOMEM;
    for (size_t d = 0; d < s->donors.n; d++)
        for (size_t g = 0; g < n; g++) {
            grn_rng_t r;
            grn_rng_init2(&r, s->o.seed, "sim.donor", grn_hash_str(grn_names_get(&s->genes, g)),
                          grn_hash_str(grn_names_get(&s->donors, d)));
            s->donor_gene[d * n + g] = (float)exp(par.donor_sd * grn_rng_normal(&r));
        }
    return GRN_OK;
}

/* ---- openness ---- */
typedef struct {
    uint32_t key, region; /* key = type * T + tf */
    float open;
} bind_t;

static float bind_strength(const grn_sim_t *s, uint32_t tf, uint32_t region)
{
    grn_rng_t r;
    grn_rng_init2(&r, s->o.seed, "sim.bind", grn_hash_str(grn_names_get(&s->tfs, tf)),
                  grn_hash_str(grn_names_get(&s->regions, region)));
    return (float)(0.6 + 0.35 * grn_rng_unif(&r));
}

uint32_t grn_sim_bound_tf(const grn_sim_t *s, uint32_t region)
{
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.bound", grn_hash_str(grn_names_get(&s->regions, region)));
    for (int i = 0; i < 100; i++) {
        uint32_t t = (uint32_t)grn_rng_below(&r, s->tfs.n);
        if (s->tf[t].kind == GRN_SIM_SWITCH && s->tf[t].sign > 0) return t;
    }
    return UINT32_MAX;
}

static void draw_open(grn_sim_t *s)
{
    size_t n = s->regions.n;
    for (size_t i = 0; i < n; i++) {
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.open", grn_hash_str(grn_names_get(&s->regions, i)));
        int everywhere = grn_rng_unif(&r) < 0.5;
        for (size_t k = 0; k < s->types.n; k++) {
            double u = grn_rng_unif(&r), v = 0.8 + 0.4 * grn_rng_unif(&r), a = 0;
            switch (s->region[i].kind) {
            case GRN_SIM_PROMOTER: a = par.open_promoter; break;
            case GRN_SIM_OPEN:
                a = everywhere || u < 0.4 ? par.open_decoy : par.open_enhancer;
                break;
            case GRN_SIM_CLOSED: a = par.open_closed; break;
            default: a = par.open_enhancer;
            }
            s->acc[k * n + i] = (float)fmin(1, a * v);
        }
    }
    for (size_t i = 0; i < s->n_edges; i++) /* a repressor closes what is otherwise open */
        if (s->tf[s->edge[i].tf].sign < 0)
            s->acc[s->edge[i].type * n + s->edge[i].region] = (float)par.open_repressed;
}

static grn_status index_binding(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n_key = s->types.n * s->tfs.n, n = 0, cap = s->n_edges + s->regions.n * s->types.n;
    bind_t *b = NULL;
    size_t *fill = NULL;
    GRN_TRY(GRN_NEW_RAW(b, cap));
    for (size_t i = 0; i < s->n_edges; i++) {
        const grn_sim_edge_t *e = &s->edge[i];
        b[n++] = (bind_t){ (uint32_t)(e->type * s->tfs.n + e->tf), e->region,
                           bind_strength(s, e->tf, e->region) };
    }
    for (size_t i = 0; i < s->regions.n; i++) {
        uint32_t t =
            s->region[i].kind == GRN_SIM_BOUND ? grn_sim_bound_tf(s, (uint32_t)i) : UINT32_MAX;
        for (size_t k = 0; t != UINT32_MAX && k < s->types.n; k++)
            if (s->on[t * s->types.n + k] > 0)
                b[n++] = (bind_t){ (uint32_t)(k * s->tfs.n + t), (uint32_t)i,
                                   bind_strength(s, t, (uint32_t)i) };
    }
    GRN_TRY(GRN_NEW(s->reg_off, n_key + 1));
    GRN_TRY(GRN_NEW(s->reg_eff, n));
    GRN_TRY(GRN_NEW(fill, n_key + 1));
    for (size_t i = 0; i < n; i++) s->reg_off[b[i].key + 1]++;
    for (size_t k = 0; k < n_key; k++) s->reg_off[k + 1] += s->reg_off[k];
    memcpy(fill, s->reg_off, (n_key + 1) * sizeof *fill);
    for (size_t i = 0; i < n; i++)
        s->reg_eff[fill[b[i].key]++] = (grn_sim_effect_t){ b[i].region, b[i].open };
end:
    free(b);
    free(fill);
    return rc;
}

/* Factors 1 - (binding x activity) of the active TFs of one sign, multiplied into x for regions
 * [from, to). */
static void bind(const grn_sim_t *s, const grn_sim_cell_t *c, int sign, size_t from, size_t to,
                 float *x)
{
    size_t key = c->type * s->tfs.n;
    for (size_t t = 0; t < s->tfs.n; t++)
        for (size_t i = s->reg_off[key + t];
             c->is_on[t] && s->tf[t].sign == sign && i < s->reg_off[key + t + 1]; i++)
            if (s->reg_eff[i].at >= from && s->reg_eff[i].at < to)
                x[s->reg_eff[i].at] *= 1 - fminf(0.98f, s->reg_eff[i].w * c->a[t]);
}

void grn_sim_openness(const grn_sim_t *s, const grn_sim_cell_t *c, size_t from, size_t to,
                      float *shut, float *open)
{
    const float *acc = s->acc + c->type * s->regions.n;
    bind(s, c, 1, from, to, shut);
    for (size_t i = from; i < to; i++) {
        open[i] = (1 - (1 - acc[i]) * shut[i]) * (float)s->region[i].eff;
        shut[i] = 1;
    }
    bind(s, c, -1, from, to, open);
}

/* ---- expression ---- */
/* Rates (G) of a cell, without depth: basal x type x donor x saturated product of its regulators; a
 * TF's mRNA follows its activity. */
static void cell_rates(const grn_sim_t *s, const grn_sim_cell_t *c, double *eta, double *rate)
{
    size_t n = s->genes.n, key = c->type * s->tfs.n;
    const double *base = s->rate + c->type * n;
    const float *donor = s->donor_gene + c->donor * n;
    for (size_t t = 0; t < s->tfs.n; t++)
        for (size_t i = s->gene_off[key + t]; c->is_on[t] && i < s->gene_off[key + t + 1]; i++)
            eta[s->gene_eff[i].at] += (double)s->gene_eff[i].w * (double)c->a[t];
    for (size_t g = 0; g < n; g++) {
        rate[g] = base[g] * (double)donor[g];
        if (eta[g] == 0) continue;
        rate[g] *= exp(par.ceiling * tanh(eta[g] / par.ceiling));
        eta[g] = 0;
    }
    for (size_t t = 0; t < s->tfs.n; t++) {
        const grn_sim_tf_t *x = &s->tf[t];
        rate[x->gene] *= x->kind == GRN_SIM_SWITCH
                             ? x->mrna_off + (x->mrna_on - x->mrna_off) * (double)c->a[t]
                             : x->mrna_on;
    }
}

void grn_sim_expected(const grn_sim_t *s, const grn_sim_cell_t *c, double *eta, double *mu)
{
    double own = (1 - s->o.ambient) * c->depth * s->scale[c->type], soup = s->o.ambient * c->depth;
    cell_rates(s, c, eta, mu);
    for (size_t g = 0; g < s->genes.n; g++) mu[g] = own * mu[g] + soup * s->soup[g];
}

/* Scales: the mean over virtual cells of each type makes one UMI, and one fragment in regions, at
 * depth 1. */
static grn_status calibrate(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = s->genes.n, n_regions = s->regions.n;
    double *eta = NULL, *rate = NULL, *mean = NULL;
    float *shut = NULL, *open = NULL;
    grn_sim_cell_t c = { 0 };
    GRN_TRY(grn_sim_cell_init(s, &c));
    GRN_TRY(GRN_NEW(eta, n));
    GRN_TRY(GRN_NEW(rate, n));
    GRN_TRY(GRN_NEW(mean, n));
    GRN_TRY(GRN_NEW(shut, n_regions));
    GRN_TRY(GRN_NEW(open, n_regions));
    for (size_t i = 0; i < n_regions; i++) shut[i] = 1;
    for (size_t k = 0; k < s->types.n; k++) {
        double sum = 0, frags = 0, share = s->type_cum[k] - (k ? s->type_cum[k - 1] : 0);
        memset(mean, 0, n * sizeof *mean);
        for (int i = 0; i < par.n_virtual; i++) {
            grn_sim_cell_virtual(s, (uint32_t)k, (uint32_t)i, &c);
            cell_rates(s, &c, eta, rate);
            for (size_t g = 0; g < n; g++) mean[g] += rate[g] / par.n_virtual;
            if (!s->o.no_atac) grn_sim_openness(s, &c, 0, n_regions, shut, open);
            for (size_t j = 0; j < n_regions; j++) {
                frags += (double)open[j] / par.n_virtual;
                s->open[k * n_regions + j] += open[j] / (float)par.n_virtual;
            }
        }
        for (size_t g = 0; g < n; g++) sum += mean[g];
        s->scale[k] = 1 / sum;
        s->acc_scale[k] = frags > 0 ? 1 / frags : 0;
        for (size_t j = 0; j < n_regions; j++) s->open[k * n_regions + j] *= (float)s->acc_scale[k];
        for (size_t g = 0; g < n; g++) s->soup[g] += share * mean[g] / sum;
    }
end:
    grn_sim_cell_clear(&c);
    free(eta);
    free(rate);
    free(mean);
    free(shut);
    free(open);
    return rc;
}

grn_status grn_sim_design_rates(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = s->genes.n, n_types = s->types.n;
    GRN_TRY(GRN_NEW(s->theta, n));
    GRN_TRY(GRN_NEW(s->rate, n_types * n));
    GRN_TRY(GRN_NEW(s->acc, n_types * s->regions.n));
    GRN_TRY(GRN_NEW(s->scale, n_types));
    GRN_TRY(GRN_NEW(s->acc_scale, n_types));
    GRN_TRY(GRN_NEW(s->open, n_types * s->regions.n));
    GRN_TRY(GRN_NEW(s->soup, n));
    for (size_t g = 0; g < n; g++) draw_basal(s, g);
    raise_repressed(s);
    for (size_t g = 0; g < n; g++) draw_types_of(s, g);
    GRN_TRY(draw_donors(s));
    draw_open(s);
    GRN_TRY(index_binding(s));
    GRN_TRY(calibrate(s));
end:
    return rc;
}
