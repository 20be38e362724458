/* Motifs, and the sites of them planted in the genome: bound ones, and decoys. */
#include "sim.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define N_SITES \
    200 /* sequences behind a motif: its counts are multiples of 1/200, and the truth is exactly \
           what the file says */
static const struct {
    double min_ic, max_ic; /* bits */
    double strong;         /* share of well-defined positions */
    double stray;          /* chance of a meaningless site in a region */
    double between;        /* stray sites outside regions, per region */
} par = { 12, 18, 0.75, 0.4, 1.0 };

static void draw_column(grn_rng_t *r, double p[4])
{
    double main = grn_rng_unif(r) < par.strong ? 0.82 + 0.17 * grn_rng_unif(r)
                                               : 0.35 + 0.25 * grn_rng_unif(r),
           rest = 0;
    size_t best = (size_t)grn_rng_below(r, 4);
    for (size_t b = 0; b < 4; b++) rest += p[b] = b == best ? 0 : grn_rng_open(r);
    int left = N_SITES;
    for (size_t b = 0; b < 4; b++) {
        int n = b == best ? 0 : (int)((1 - main) * p[b] / rest * N_SITES);
        p[b] = (double)n / N_SITES;
        left -= n;
    }
    p[best] = (double)left / N_SITES;
}

static void draw_motif(grn_rng_t *r, grn_sim_motif_t *m)
{
    m->w = 9 + (uint32_t)grn_rng_below(r, 7);
    m->ic = m->sd = 0;
    for (uint32_t i = 0; i < m->w; i++) {
        double mean = 0, sq = 0;
        draw_column(r, m->p[i]);
        for (int b = 0; b < 4; b++) {
            double x = m->p[i][b] > 0 ? log2(4 * m->p[i][b]) : 0;
            mean += m->p[i][b] * x;
            sq += m->p[i][b] * x * x;
        }
        m->ic += mean;
        m->sd += sq - mean * mean;
    }
    m->sd = sqrt(m->sd);
}

static int consensus(const grn_sim_motif_t *m, uint32_t i, int reverse)
{
    const double *p = m->p[reverse ? m->w - 1 - i : i];
    int b = 0;
    for (int k = 1; k < 4; k++)
        if (p[k] > p[b]) b = k;
    return reverse ? 3 - b : b;
}

/* 1 if the consensus of one lies within that of the other, either strand, but for two bases. */
static int alike(const grn_sim_motif_t *a, const grn_sim_motif_t *b)
{
    int wa = (int)a->w, wb = (int)b->w, short_w = wa < wb ? wa : wb;
    for (int reverse = 0; reverse < 2; reverse++)
        for (int shift = -wb; shift <= wa; shift++) {
            int same = 0;
            for (int i = 0; i < wb; i++)
                if (i + shift >= 0 && i + shift < wa)
                    same += consensus(a, (uint32_t)(i + shift), 0) ==
                            consensus(b, (uint32_t)i, reverse);
            if (same >= short_w - 2) return 1;
        }
    return 0;
}

grn_status grn_sim_motifs(grn_sim_t *s)
{
    if (GRN_NEW(s->motif, s->motifs.n)) return GRN_ENOMEM;
    for (size_t m = 0; m < s->motifs.n; m++) {
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.motif", grn_hash_str(grn_names_get(&s->motifs, m)));
        for (int tries = 0, again = 1; again && tries < 1000; tries++) {
            draw_motif(&r, &s->motif[m]);
            again = s->motif[m].ic < par.min_ic || s->motif[m].ic > par.max_ic;
            for (size_t j = 0; j < m && !again && tries < 900; j++)
                again = alike(&s->motif[m], &s->motif[j]);
        }
    }
    return GRN_OK;
}

/* ---- sites ---- */
static grn_status push_site(grn_sim_t *s, grn_sim_site_t site)
{
    if (GRN_GROW(s->site, s->cap_sites, s->n_sites + 1)) return GRN_ENOMEM;
    s->site[s->n_sites++] = site;
    return GRN_OK;
}

/* One site of a motif in a region, clear of the sites that region has from index `first` on; near
 * the middle, where accessibility peaks. */
static grn_status plant(grn_sim_t *s, grn_rng_t *r, uint32_t region, uint32_t motif, int functional,
                        size_t first)
{
    const grn_sim_region_t *x = &s->region[region];
    uint64_t w = s->motif[motif].w;
    for (int tries = 0; tries < 200; tries++) {
        double off = tries < 100 ? 60 * grn_rng_normal(r)
                                 : (grn_rng_unif(r) - 0.5) * (GRN_SIM_REGION_BP - 2 * (double)w);
        if (fabs(off) > GRN_SIM_REGION_BP / 2 - (double)w) continue;
        uint64_t pos = (uint64_t)((double)(x->start + GRN_SIM_REGION_BP / 2) + off);
        int clash = 0;
        for (size_t i = first; i < s->n_sites; i++)
            clash |= pos < s->site[i].pos + 17 && s->site[i].pos < pos + w + 2;
        if (clash) continue;
        return push_site(s, (grn_sim_site_t){ x->chrom, motif, pos, grn_rng_unif(r) < 0.5 ? 1 : -1,
                                              region, functional });
    }
    return functional
               ? grn_err(GRN_EUSAGE,
                         "no room for another site in %s; give more --regions or fewer --targets",
                         grn_names_get(&s->regions, region))
               : GRN_OK;
}

typedef struct {
    uint32_t region, tf;
} use_t;

static int by_use(const void *a, const void *b)
{
    const use_t *x = a, *y = b;
    if (x->region != y->region) return x->region < y->region ? -1 : 1;
    return (x->tf > y->tf) - (x->tf < y->tf);
}

/* Distinct (region, TF) of the triplets and of the bound decoys, by region. */
static grn_status list_uses(const grn_sim_t *s, use_t **out, size_t *n_out)
{
    use_t *u;
    size_t n = 0, m = 0;
    if (GRN_NEW_RAW(u, s->n_edges + s->regions.n)) return GRN_ENOMEM;
    for (size_t i = 0; i < s->n_edges; i++) u[n++] = (use_t){ s->edge[i].region, s->edge[i].tf };
    for (uint32_t i = 0; i < s->regions.n; i++) {
        uint32_t t = s->region[i].kind == GRN_SIM_BOUND ? grn_sim_bound_tf(s, i) : UINT32_MAX;
        if (t != UINT32_MAX) u[n++] = (use_t){ i, t };
    }
    qsort(u, n, sizeof *u, by_use);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_use(&u[i], &u[i - 1])) u[m++] = u[i];
    *out = u;
    *n_out = m;
    return GRN_OK;
}

static grn_status plant_region(grn_sim_t *s, uint32_t region, const use_t *u, size_t n)
{
    grn_rng_t r;
    size_t first = s->n_sites;
    grn_rng_init(&r, s->o.seed, "sim.sites", grn_hash_str(grn_names_get(&s->regions, region)));
    for (size_t i = 0; i < n; i++) {
        size_t copies = 1 + (n < 6 && grn_rng_unif(&r) < 0.25);
        for (size_t j = 0; j < copies; j++) {
            grn_status rc = plant(s, &r, region, s->tf[u[i].tf].motif,
                                  s->region[region].kind == GRN_SIM_ENHANCER && j == 0, first);
            if (rc) return rc;
        }
    }
    if (grn_rng_unif(&r) < par.stray)
        return plant(s, &r, region, (uint32_t)grn_rng_below(&r, s->motifs.n), 0, first);
    return GRN_OK;
}

/* Stray sites between the regions: `near` is the first region that ends behind the place drawn. */
static grn_status plant_between(grn_sim_t *s)
{
    size_t n = (size_t)(par.between * (double)s->regions.n);
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.between", n);
    for (size_t i = 0; i < n; i++) {
        const grn_sim_region_t *x = &s->region[grn_rng_below(&r, s->regions.n)],
                               *next = x + 1 < s->region + s->regions.n ? x + 1 : NULL;
        uint64_t hi = next && next->chrom == x->chrom ? next->start : s->chrom_len[x->chrom];
        if (hi < x->end + 400) continue;
        uint64_t pos = x->end + 100 + grn_rng_below(&r, hi - x->end - 300);
        grn_sim_site_t site = { x->chrom,   (uint32_t)grn_rng_below(&r, s->motifs.n),
                                pos,        grn_rng_unif(&r) < 0.5 ? 1 : -1,
                                UINT32_MAX, 0 };
        if (push_site(s, site)) return GRN_ENOMEM;
    }
    return GRN_OK;
}

static int by_pos(const void *a, const void *b)
{
    const grn_sim_site_t *x = a, *y = b;
    if (x->chrom != y->chrom) return x->chrom < y->chrom ? -1 : 1;
    if (x->pos != y->pos) return x->pos < y->pos ? -1 : 1;
    return (x->motif > y->motif) - (x->motif < y->motif);
}

grn_status grn_sim_sites(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    use_t *u = NULL;
    size_t n = 0, i = 0, m = 0;
    GRN_TRY(list_uses(s, &u, &n));
    for (uint32_t region = 0; region < s->regions.n; region++) {
        size_t end = i;
        while (end < n && u[end].region == region) end++;
        GRN_TRY(plant_region(s, region, u + i, end - i));
        i = end;
    }
    GRN_TRY(plant_between(s));
    qsort(s->site, s->n_sites, sizeof *s->site, by_pos);
    for (size_t k = 0; k < s->n_sites;
         k++) /* strays between regions that would overlap their neighbour */
        if (m == 0 || s->site[k].chrom != s->site[m - 1].chrom ||
            s->site[k].pos >= s->site[m - 1].pos + 16)
            s->site[m++] = s->site[k];
        else if (s->site[k].region != UINT32_MAX) s->site[m++] = s->site[k];
    s->n_sites = m;
end:
    free(u);
    return rc;
}

/* A draw from the motif, repeated until it is no worse than a middling site (mean minus half an
 * sd): real sites vary, too. */
double grn_sim_site_seq(const grn_sim_t *s, const grn_sim_site_t *site, uint8_t *out)
{
    const grn_sim_motif_t *m = &s->motif[site->motif];
    double score = 0;
    grn_rng_t r;
    grn_rng_init2(&r, s->o.seed, "sim.site", grn_hash_str(grn_names_get(&s->chroms, site->chrom)),
                  site->pos);
    for (int tries = 0; tries < 100; tries++) {
        score = 0;
        for (uint32_t i = 0; i < m->w; i++) {
            double u = grn_rng_unif(&r);
            int b = 0;
            while (b < 3 && u >= m->p[i][b]) u -= m->p[i][b++];
            out[site->strand > 0 ? i : m->w - 1 - i] = (uint8_t)(site->strand > 0 ? b : 3 - b);
            score += m->p[i][b] > 0 ? log2(4 * m->p[i][b]) : -99;
        }
        if (score >= m->ic - 0.5 * m->sd) break;
    }
    return score;
}

/* ---- files ---- */
grn_status grn_sim_write_motifs(const grn_sim_t *s, const char *dir)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    GRN_TRY(grn_sim_open(&o, dir, "motifs.jaspar"));
    for (size_t m = 0; m < s->motifs.n; m++) {
        size_t t = 0;
        while (s->tf[t].motif != m) t++;
        GRN_TRY(grn_out_printf(o, ">%s\t%s\n", grn_names_get(&s->motifs, m),
                               grn_names_get(&s->tfs, t)));
        for (int b = 0; b < 4; b++) {
            GRN_TRY(grn_out_printf(o, "%c  [", "ACGT"[b]));
            for (uint32_t i = 0; i < s->motif[m].w; i++)
                GRN_TRY(grn_out_printf(o, "%4d", (int)lround(s->motif[m].p[i][b] * N_SITES)));
            GRN_TRY(grn_out_puts(o, " ]\n"));
        }
    }
    rc = grn_out_commit(o);
    o = NULL;
    if (rc) goto end;
    GRN_TRY(grn_sim_open(&o, dir, "motif2tf.tsv"));
    GRN_TRY(grn_out_puts(o, "motif\ttf\n"));
    for (size_t t = 0; t < s->tfs.n; t++)
        GRN_TRY(grn_out_printf(o, "%s\t%s\n", grn_names_get(&s->motifs, s->tf[t].motif),
                               grn_names_get(&s->tfs, t)));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}
