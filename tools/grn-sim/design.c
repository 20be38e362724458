/* The regulatory network: which TFs exist, when they are active, what they regulate through which
 * region, and how strongly. */
#include "sim.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* Shares of the plan; docs/simulator.md says why. */
static const struct {
    double idle, constant, shared, repressor, two_types, flat, family; /* of the TFs */
    double housekeeping, regulated, typed;                             /* of the genes */
    double tf_target;      /* a regulon that regulates a TF gene, too: chance per regulon */
    double targets_sd;     /* of the log number of targets */
    double effect_sd;      /* of the log |log fold change| */
    double on_spread;      /* half-width of P(on) around --on-frac */
    double share_enhancer; /* chance that a TF of a gene uses a further enhancer of it */
    double type_use;       /* chance that an enhancer is in use in a type */
} share = { 0.08, 0.08, 0.08, 0.2,  0.3,  0.1,  0.12, 0.12,
            0.5,  0.15, 0.3,  0.35, 0.25, 0.15, 0.35, 0.75 };

static grn_status name_all(grn_names_t *d, const char *prefix, const char *suffix, size_t n,
                           int width)
{
    grn_status rc = GRN_OK;
    grn_str_t b = { 0 };
    for (size_t i = 0; i < n; i++) {
        b.n = 0;
        GRN_TRY(grn_str_printf(&b, "%s%0*zu%s", prefix, width, i + 1, suffix));
        GRN_TRY(grn_names_add(d, b.s, NULL, NULL));
    }
end:
    grn_str_clear(&b);
    return rc;
}

static int digits(size_t n)
{
    int d = 1;
    while (n >= 10) n /= 10, d++;
    return d;
}

static grn_status draw_types(grn_sim_t *s)
{
    size_t n_types = (size_t)s->o.types;
    if (name_all(&s->types, "type", "", n_types, digits(n_types)) ||
        name_all(&s->donors, "donor", "", (size_t)s->o.donors, digits((size_t)s->o.donors)))
        return GRN_ENOMEM;
    if (GRN_NEW(s->type_cum, n_types)) return GRN_ENOMEM;
    double sum = 0, decay = n_types > 1 ? pow(0.4, 1.0 / (double)(n_types - 1))
                                        : 1; /* the rarest is 0.4 times as common as the first */
    for (size_t k = 0; k < n_types; k++) s->type_cum[k] = sum += pow(decay, (double)k);
    for (size_t k = 0; k < n_types; k++) s->type_cum[k] /= sum;
    s->n_programmes = 3;
    return GRN_OK;
}

/* P(on) of TF t in the types: shared TFs switch in all of them, the others in one or two, dealt out
 * evenly. */
static void draw_on(grn_sim_t *s, size_t t, int shared, size_t *dealt)
{
    size_t n_types = s->types.n;
    double *on = s->on + t * n_types;
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.on", grn_hash_str(grn_names_get(&s->tfs, t)));
    if (s->tf[t].kind != GRN_SIM_SWITCH) {
        for (size_t k = 0; k < n_types; k++) on[k] = s->tf[t].kind == GRN_SIM_CONSTANT;
        return;
    }
    int two = grn_rng_unif(&r) < share.two_types && n_types > 1;
    size_t n_in = shared ? n_types
                  : two  ? 2
                         : 1,
           first = shared ? 0 : (*dealt)++,
           step = two ? 1 + (size_t)grn_rng_below(&r, n_types - 1) : 1;
    for (size_t j = 0; j < n_in; j++) {
        size_t k = (first + (shared ? j : j * step)) % n_types;
        double p = s->o.on_frac, spread = fmin(share.on_spread, fmin(p, 1 - p) * 0.6);
        on[k] = p + spread * (2 * grn_rng_unif(&r) - 1);
    }
}

/* Kinds by quota over a shuffled order, so that small plans hold some of each. */
static grn_status draw_kinds(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = s->tfs.n, dealt = 0, n_idle = (size_t)(share.idle * (double)n),
           n_const = (size_t)(share.constant * (double)n);
    size_t n_shared = (size_t)(share.shared * (double)n), left = n - n_idle - n_const;
    uint32_t *order = NULL;
    grn_rng_t r;
    GRN_TRY(GRN_NEW_RAW(order, n));
    for (size_t t = 0; t < n; t++) order[t] = (uint32_t)t;
    grn_rng_init(&r, s->o.seed, "sim.tf.kind", n);
    grn_rng_shuffle_u32(&r, order, n);
    size_t n_rep = (size_t)(share.repressor * (double)(left - n_shared)),
           n_flat = (size_t)(share.flat * (double)(left - n_shared));
    for (size_t i = 0; i < n; i++) {
        grn_sim_tf_t *t = &s->tf[order[i]];
        size_t j = i - n_idle - n_const;
        t->kind = i < n_idle             ? GRN_SIM_IDLE
                  : i < n_idle + n_const ? GRN_SIM_CONSTANT
                                         : GRN_SIM_SWITCH;
        t->sign = t->kind == GRN_SIM_SWITCH && j >= n_shared && j < n_shared + n_rep ? -1 : 1;
        t->flat = t->kind == GRN_SIM_SWITCH && j >= left - n_flat;
        t->programme = (uint32_t)grn_rng_below(&r, s->n_programmes);
        t->regulon = UINT32_MAX;
        draw_on(s, order[i], t->kind == GRN_SIM_SWITCH && j < n_shared, &dealt);
    }
end:
    free(order);
    return rc;
}

static grn_status name_regulons(grn_sim_t *s)
{
    char buf[64];
    for (size_t t = 0; t < s->tfs.n; t++) {
        if (s->tf[t].kind == GRN_SIM_IDLE) continue;
        size_t idx;
        snprintf(buf, sizeof buf, "%s_%c/+", grn_names_get(&s->tfs, t),
                 s->tf[t].sign > 0 ? '+' : '-');
        if (grn_names_add(&s->regulons, buf, &idx, NULL)) return GRN_ENOMEM;
        s->tf[t].regulon = (uint32_t)idx;
    }
    return GRN_OK;
}

/* Role and name of every gene; TF genes are spread over the genome. */
static grn_status draw_genes(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)s->o.genes, n_tf = s->tfs.n;
    uint32_t *order = NULL;
    grn_str_t b = { 0 };
    GRN_TRY(GRN_NEW(s->gene, n));
    GRN_TRY(GRN_NEW_RAW(order, n));
    for (size_t g = 0; g < n; g++) order[g] = (uint32_t)g;
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.gene.kind", n);
    grn_rng_shuffle_u32(&r, order, n);
    double rest = (double)(n - n_tf), a = share.housekeeping * rest,
           b_end = a + share.regulated * rest, c = b_end + share.typed * rest;
    for (size_t i = 0; i < n; i++) {
        grn_sim_gene_t *g = &s->gene[order[i]];
        double x = (double)i - (double)n_tf;
        g->tf = i < n_tf ? (uint32_t)i : UINT32_MAX;
        g->kind = i < n_tf    ? GRN_SIM_TF
                  : x < a     ? GRN_SIM_HOUSEKEEPING
                  : x < b_end ? GRN_SIM_REGULATED
                  : x < c     ? GRN_SIM_TYPED
                              : GRN_SIM_PLAIN;
        if (i < n_tf) s->tf[i].gene = order[i];
    }
    int width = digits(n) < 4 ? 4 : digits(n);
    for (size_t g = 0; g < n; g++) {
        b.n = 0;
        if (s->gene[g].tf != UINT32_MAX)
            GRN_TRY(grn_str_puts(&b, grn_names_get(&s->tfs, s->gene[g].tf)));
        else GRN_TRY(grn_str_printf(&b, "G%0*zu", width, g + 1));
        GRN_TRY(grn_names_add(&s->genes, b.s, NULL, NULL));
    }
    GRN_TRY(name_all(&s->gene_ids, "GSIM", "", n, 11));
end:
    free(order);
    grn_str_clear(&b);
    return rc;
}

grn_status grn_sim_design_tfs(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)s->o.tfs;
    GRN_TRY(draw_types(s));
    GRN_TRY(name_all(&s->tfs, "TF", "", n, digits(n) < 2 ? 2 : digits(n)));
    GRN_TRY(GRN_NEW(s->tf, n));
    GRN_TRY(GRN_NEW(s->on, n * s->types.n));
    GRN_TRY(draw_kinds(s));
    GRN_TRY(name_regulons(s));
    GRN_TRY(draw_genes(s));
    uint32_t motif = 0;
    for (size_t t = 0; t < n; t++) { /* a family: this TF binds like the one before it */
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.family", grn_hash_str(grn_names_get(&s->tfs, t)));
        s->tf[t].motif = t > 0 && grn_rng_unif(&r) < share.family ? motif - 1 : motif++;
    }
    GRN_TRY(name_all(&s->motifs, "MS", ".1", motif, 4));
end:
    return rc;
}

/* ---- targets ---- */
static grn_status draw_targets_of(grn_sim_t *s, size_t t, const uint32_t *pool, size_t n_pool,
                                  uint64_t *pick, uint32_t *off)
{
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.targets", grn_hash_str(grn_names_get(&s->tfs, t)));
    if (s->tf[t].kind == GRN_SIM_IDLE) return GRN_OK;
    double want = round(grn_sim_lognormal(&r, s->o.targets, share.targets_sd));
    size_t most = n_pool / 3 > 0 ? n_pool / 3 : 1, n = want < 5 ? 5 : (size_t)want;
    if (n > most) n = most;
    grn_rng_sample(&r, n_pool, n, pick);
    for (size_t i = 0; i < n; i++) s->pair_gene[*off + i] = pool[pick[i]];
    size_t other = (size_t)grn_rng_below(&r, s->tfs.n);
    if (grn_rng_unif(&r) < share.tf_target && other != t)
        s->pair_gene[*off + n++] = s->tf[other].gene;
    for (size_t i = 0; i < n; i++)
        s->pair_w[*off + i] = grn_sim_lognormal(&r, log(s->o.effect), share.effect_sd);
    *off += (uint32_t)n;
    return GRN_OK;
}

grn_status grn_sim_design_targets(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n_genes = s->genes.n, n_tf = s->tfs.n, n_pool = 0;
    uint32_t *pool = NULL, off = 0;
    uint8_t *hit = NULL;
    uint64_t *pick = NULL;
    GRN_TRY(GRN_NEW_RAW(pool, n_genes));
    GRN_TRY(GRN_NEW_RAW(pick, n_genes));
    GRN_TRY(GRN_NEW(hit, n_genes));
    for (size_t g = 0; g < n_genes; g++)
        if (s->gene[g].kind == GRN_SIM_REGULATED) pool[n_pool++] = (uint32_t)g;
    if (n_pool < 15)
        GRN_FAIL(GRN_EUSAGE, "--genes %zu leaves too few genes to regulate beside %zu TFs", n_genes,
                 n_tf);
    size_t cap = n_tf * (n_pool / 3 + 2);
    GRN_TRY(GRN_NEW(s->pair_off, n_tf + 1));
    GRN_TRY(GRN_NEW_RAW(s->pair_gene, cap));
    GRN_TRY(GRN_NEW_RAW(s->pair_w, cap));
    for (size_t t = 0; t < n_tf; t++) {
        GRN_TRY(draw_targets_of(s, t, pool, n_pool, pick, &off));
        s->pair_off[t + 1] = off;
    }
    for (uint32_t i = 0; i < off; i++) hit[s->pair_gene[i]] = 1;
    for (size_t g = 0; g < n_genes; g++) /* nobody's target after all */
        if (s->gene[g].kind == GRN_SIM_REGULATED && !hit[g]) s->gene[g].kind = GRN_SIM_PLAIN;
end:
    free(pool);
    free(pick);
    free(hit);
    return rc;
}

/* ---- triplets ---- */
static grn_status push_edge(grn_sim_t *s, const grn_sim_edge_t *e)
{
    if (GRN_GROW(s->edge, s->cap_edges, s->n_edges + 1)) return GRN_ENOMEM;
    s->edge[s->n_edges++] = *e;
    return GRN_OK;
}

/* The enhancers through which a TF acts on a gene (one at least), then those of them in use in each
 * type where it is active. */
static grn_status draw_edges_of_pair(grn_sim_t *s, size_t t, uint32_t gene, double w)
{
    size_t n_types = s->types.n, lo = s->enh_off[gene], n = s->enh_off[gene + 1] - lo, n_use = 0;
    double part[16], total = 0;
    uint32_t use[16];
    grn_rng_t r;
    grn_rng_init2(&r, s->o.seed, "sim.edges", grn_hash_str(grn_names_get(&s->tfs, t)),
                  grn_hash_str(grn_names_get(&s->genes, gene)));
    size_t first = (size_t)grn_rng_below(&r, n);
    for (size_t i = 0; i < n && n_use < 16; i++) {
        if (i != first && grn_rng_unif(&r) >= share.share_enhancer) continue;
        part[n_use] = 0.3 + grn_rng_unif(&r);
        use[n_use++] = s->enh[lo + i];
    }
    for (size_t k = 0; k < n_types; k++) {
        uint32_t in = 0;
        if (s->on[t * n_types + k] == 0) continue;
        for (size_t i = 0; i < n_use; i++)
            if (grn_rng_unif(&r) < share.type_use) in |= 1u << i;
        if (!in) in = 1u << grn_rng_below(&r, n_use);
        total = 0;
        for (size_t i = 0; i < n_use; i++) total += in >> i & 1 ? part[i] : 0;
        for (size_t i = 0; i < n_use; i++) {
            grn_sim_edge_t e = { (uint32_t)k, (uint32_t)t, use[i], gene,
                                 (float)(w * part[i] / total) };
            if ((in >> i & 1) && push_edge(s, &e)) return GRN_ENOMEM;
        }
    }
    return GRN_OK;
}

/* Effects of (type, TF) as two CSR tables: on genes (summed over regions) and on regions (chance to
 * be bound). Edges come sorted by TF and pair, so those of one (type, TF, gene) are neighbours once
 * bucketed. */
static grn_status index_effects(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n_key = s->types.n * s->tfs.n, n = s->n_edges;
    size_t *fill = NULL;
    GRN_TRY(GRN_NEW(fill, n_key + 1));
    GRN_TRY(GRN_NEW(s->gene_off, n_key + 1));
    GRN_TRY(GRN_NEW(s->gene_eff, n));
    for (size_t i = 0; i < n; i++) s->gene_off[s->edge[i].type * s->tfs.n + s->edge[i].tf + 1]++;
    for (size_t k = 0; k < n_key; k++) s->gene_off[k + 1] += s->gene_off[k];
    memcpy(fill, s->gene_off, (n_key + 1) * sizeof *fill);
    for (size_t i = 0; i < n; i++) {
        const grn_sim_edge_t *e = &s->edge[i];
        float w = e->weight * (float)s->tf[e->tf].sign;
        s->gene_eff[fill[e->type * s->tfs.n + e->tf]++] = (grn_sim_effect_t){ e->gene, w };
    }
end:
    free(fill);
    return rc;
}

grn_status grn_sim_design_edges(grn_sim_t *s)
{
    for (size_t t = 0; t < s->tfs.n; t++)
        for (uint32_t i = s->pair_off[t]; i < s->pair_off[t + 1]; i++)
            if (draw_edges_of_pair(s, t, s->pair_gene[i], s->pair_w[i])) return GRN_ENOMEM;
    return index_effects(s);
}

void grn_sim_clear(grn_sim_t *s)
{
    grn_names_t *names[] = { &s->genes,  &s->gene_ids, &s->tfs,    &s->regions, &s->types,
                             &s->donors, &s->chroms,   &s->motifs, &s->regulons };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) grn_names_clear(names[i]);
    void *blocks[] = { s->chrom_len, s->tf,        s->on,         s->gene,    s->region,
                       s->pair_off,  s->pair_gene, s->pair_w,     s->enh_off, s->enh,
                       s->edge,      s->gene_off,  s->gene_eff,   s->reg_off, s->reg_eff,
                       s->theta,     s->rate,      s->donor_gene, s->scale,   s->soup,
                       s->acc,       s->acc_scale, s->open, s->type_cum,   s->site,    s->motif };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) free(blocks[i]);
    memset(s, 0, sizeof *s);
}

grn_status grn_sim_build(grn_sim_t *s, const grn_sim_opt_t *o)
{
    grn_status rc = GRN_OK;
    memset(s, 0, sizeof *s);
    s->o = *o;
    GRN_TRY(grn_sim_design_tfs(s));
    GRN_TRY(grn_sim_layout_genes(s));
    GRN_TRY(grn_sim_design_targets(s));
    GRN_TRY(grn_sim_layout_regions(s));
    GRN_TRY(grn_sim_design_edges(s));
    GRN_TRY(grn_sim_design_rates(s));
    GRN_TRY(grn_sim_motifs(s));
    GRN_TRY(grn_sim_sites(s));
end:
    if (rc != GRN_OK) grn_sim_clear(s);
    return rc;
}
