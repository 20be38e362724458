/* Where things are: chromosomes, gene bodies, and the regions (promoters, enhancers within reach of
 * their gene, decoys). */
#include "sim.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

#define MARGIN_BP \
    160000 /* no gene this close to a chromosome end: every search space of +-150 kb is whole */
#define REACH_BP 140000 /* farthest enhancer */
#define LINE_BP 60
#define CELL_BP 100 /* grain of the map of taken places */
#define TSS_GAP_BP 1500

static grn_status name_chroms(grn_sim_t *s)
{
    size_t n = (s->genes.n + 149) / 150;
    if (n > 23) n = 23;
    char buf[16];
    for (size_t c = 0; c < n; c++) {
        snprintf(buf, sizeof buf, c == 22 ? "chrX" : "chr%zu", c + 1);
        if (grn_names_add(&s->chroms, buf, NULL, NULL)) return GRN_ENOMEM;
    }
    return GRN_NEW(s->chrom_len, n);
}

/* Gene bodies run from the TSS in the direction of the strand, over less than half the way to the
 * neighbour. */
static void lay_bodies(grn_sim_t *s)
{
    size_t n = s->genes.n;
    for (size_t g = 0; g < n; g++) {
        grn_sim_gene_t *x = &s->gene[g];
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.body", grn_hash_str(grn_names_get(&s->genes, g)));
        x->strand = grn_rng_unif(&r) < 0.5 ? 1 : -1;
        size_t next = g + 1 < n && s->gene[g + 1].chrom == x->chrom,
               prev = g > 0 && s->gene[g - 1].chrom == x->chrom;
        uint64_t right = next ? s->gene[g + 1].tss - x->tss : MARGIN_BP / 2,
                 left = prev ? x->tss - s->gene[g - 1].tss : MARGIN_BP / 2;
        double room = 0.45 * (double)(x->strand > 0 ? right : left);
        uint64_t len = (uint64_t)fmax(400, fmin(room, grn_sim_lognormal(&r, 8000, 1)));
        x->start = x->strand > 0 ? x->tss : x->tss + 1 - len;
        x->end = x->strand > 0 ? x->tss + len : x->tss + 1;
    }
}

grn_status grn_sim_layout_genes(grn_sim_t *s)
{
    size_t n = s->genes.n;
    uint64_t pos = MARGIN_BP;
    uint32_t chrom = 0;
    if (name_chroms(s)) return GRN_ENOMEM;
    for (size_t g = 0; g < n; g++) {
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.spacing", grn_hash_str(grn_names_get(&s->genes, g)));
        uint32_t c = (uint32_t)(g * s->chroms.n / n);
        pos = c != chrom ? MARGIN_BP : pos;
        chrom = c;
        pos +=
            TSS_GAP_BP + (uint64_t)(grn_rng_gamma(&r, 2) / 2 * (double)(s->o.spacing - TSS_GAP_BP));
        s->gene[g].chrom = c;
        s->gene[g].tss = pos;
        s->chrom_len[c] = (pos + MARGIN_BP) / LINE_BP * LINE_BP + LINE_BP;
    }
    lay_bodies(s);
    return GRN_OK;
}

/* ---- regions ---- */
typedef struct {
    uint8_t **taken; /* per chromosome, one byte per CELL_BP */
    size_t n_chrom;
    size_t n, cap; /* regions placed */
} map_t;

static int map_try(grn_sim_t *s, map_t *m, grn_sim_region_kind kind, uint32_t chrom, int64_t start,
                   uint32_t gene)
{
    if (start < 1000 || (uint64_t)start + GRN_SIM_REGION_BP + 1000 > s->chrom_len[chrom]) return 0;
    uint64_t a = ((uint64_t)start - 100) / CELL_BP,
             b = ((uint64_t)start + GRN_SIM_REGION_BP + 100) / CELL_BP;
    for (uint64_t i = a; i <= b; i++)
        if (m->taken[chrom][i]) return 0;
    memset(m->taken[chrom] + a, 1, (size_t)(b - a + 1));
    s->region[m->n++] =
        (grn_sim_region_t){ kind, chrom, (uint64_t)start, (uint64_t)start + GRN_SIM_REGION_BP,
                            gene, 1 };
    return 1;
}

static grn_status place_promoters(grn_sim_t *s, map_t *m, size_t budget)
{
    grn_status rc = GRN_OK;
    size_t n = s->genes.n;
    uint32_t *order = NULL;
    grn_rng_t r;
    GRN_TRY(GRN_NEW_RAW(order, n));
    for (size_t g = 0; g < n; g++) order[g] = (uint32_t)g;
    grn_rng_init(&r, s->o.seed, "sim.promoters", n);
    grn_rng_shuffle_u32(&r, order, n);
    for (size_t i = 0; i < n && m->n < budget; i++) {
        const grn_sim_gene_t *g = &s->gene[order[i]];
        map_try(s, m, GRN_SIM_PROMOTER, g->chrom, (int64_t)g->tss - GRN_SIM_REGION_BP / 2,
                order[i]);
    }
end:
    free(order);
    return rc;
}

/* Log-uniform distance from the TSS, either side. Enhancers of a gene beyond the first are extra
 * ones. */
static grn_status place_enhancer(grn_sim_t *s, map_t *m, grn_rng_t *r, uint32_t gene)
{
    const grn_sim_gene_t *g = &s->gene[gene];
    for (int i = 0; i < 200; i++) {
        double d = 1000 * exp(grn_rng_unif(r) * log((double)REACH_BP / 1000));
        int64_t mid = (int64_t)g->tss + (grn_rng_unif(r) < 0.5 ? -(int64_t)d : (int64_t)d);
        if (map_try(s, m, GRN_SIM_ENHANCER, g->chrom, mid - GRN_SIM_REGION_BP / 2, gene))
            return GRN_OK;
    }
    return grn_err(GRN_EUSAGE,
                   "no room for an enhancer near %s; give fewer --regions or a larger --spacing",
                   grn_names_get(&s->genes, gene));
}

static grn_status place_enhancers(grn_sim_t *s, map_t *m, size_t budget, const uint8_t *target,
                                  size_t n_target)
{
    double extra = (double)(budget - n_target) / (double)n_target;
    size_t stop = m->n + budget;
    for (size_t g = 0; g < s->genes.n; g++) {
        if (!target[g]) continue;
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.enhancers", grn_hash_str(grn_names_get(&s->genes, g)));
        size_t n = 1 + (size_t)grn_rng_poisson(&r, extra), left = stop - m->n - --n_target;
        if (n > 8) n = 8;
        if (n > left) n = left; /* keeps one for each gene still to come */
        for (size_t i = 0; i < n; i++)
            if (place_enhancer(s, m, &r, (uint32_t)g)) return GRN_EUSAGE;
    }
    return GRN_OK;
}

static grn_status place_decoys(grn_sim_t *s, map_t *m, size_t n)
{
    grn_rng_t r;
    grn_rng_init(&r, s->o.seed, "sim.decoys", n);
    double total = 0;
    for (size_t c = 0; c < s->chroms.n; c++) total += (double)s->chrom_len[c];
    for (uint64_t tries = 0; m->n < n; tries++) {
        if (tries > 100 * (uint64_t)n)
            return grn_err(GRN_EUSAGE,
                           "no room for %zu regions; give fewer --regions or a larger --spacing",
                           n);
        double x = grn_rng_unif(&r) * total, u = grn_rng_unif(&r);
        size_t c = 0;
        while (c + 1 < s->chroms.n && x >= (double)s->chrom_len[c]) x -= (double)s->chrom_len[c++];
        map_try(s, m,
                u < 0.45   ? GRN_SIM_OPEN
                : u < 0.75 ? GRN_SIM_BOUND
                           : GRN_SIM_CLOSED,
                (uint32_t)c, (int64_t)x, UINT32_MAX);
    }
    return GRN_OK;
}

static int by_place(const void *a, const void *b)
{
    const grn_sim_region_t *x = a, *y = b;
    if (x->chrom != y->chrom) return x->chrom < y->chrom ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

/* Genome order, names, efficiencies, and the list of enhancers per gene. */
static grn_status finish_regions(grn_sim_t *s, size_t n)
{
    char buf[64];
    qsort(s->region, n, sizeof *s->region, by_place);
    if (GRN_NEW(s->enh_off, s->genes.n + 1) || GRN_NEW(s->enh, n)) return GRN_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        grn_sim_region_t *x = &s->region[i];
        snprintf(buf, sizeof buf, "%s:%" PRIu64 "-%" PRIu64, grn_names_get(&s->chroms, x->chrom),
                 x->start, x->end);
        if (grn_names_add(&s->regions, buf, NULL, NULL)) return GRN_ENOMEM;
        grn_rng_t r;
        grn_rng_init(&r, s->o.seed, "sim.eff", grn_hash_str(buf));
        x->eff = grn_sim_lognormal(&r, 1, 0.45);
        if (x->kind == GRN_SIM_ENHANCER) s->enh_off[x->gene + 1]++;
    }
    for (size_t g = 0; g < s->genes.n; g++) s->enh_off[g + 1] += s->enh_off[g];
    for (size_t i = n; i-- > 0;) /* fills from the end of each list; offsets are put back below */
        if (s->region[i].kind == GRN_SIM_ENHANCER)
            s->enh[--s->enh_off[s->region[i].gene + 1]] = (uint32_t)i;
    memmove(s->enh_off, s->enh_off + 1, s->genes.n * sizeof *s->enh_off);
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += s->region[i].kind == GRN_SIM_ENHANCER;
    s->enh_off[s->genes.n] = total;
    return GRN_OK;
}

grn_status grn_sim_layout_regions(grn_sim_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = (size_t)s->o.regions, n_target = 0, n_promoter = n / 4,
           n_enhancer = (size_t)(0.45 * (double)n);
    uint8_t *target = NULL;
    map_t m = { 0 };
    GRN_TRY(GRN_NEW(target, s->genes.n));
    for (uint32_t i = 0; i < s->pair_off[s->tfs.n]; i++) {
        n_target += !target[s->pair_gene[i]];
        target[s->pair_gene[i]] = 1;
    }
    if (n_enhancer < n_target)
        GRN_FAIL(GRN_EUSAGE,
                 "--regions %zu is too few: %zu regulated genes need an enhancer each; give at "
                 "least %zu",
                 n, n_target, (size_t)((double)n_target / 0.45) + 2);
    GRN_TRY(GRN_NEW(s->region, n));
    GRN_TRY(GRN_NEW(m.taken, s->chroms.n));
    m.n_chrom = s->chroms.n;
    for (size_t c = 0; c < m.n_chrom; c++)
        GRN_TRY(GRN_NEW(m.taken[c], s->chrom_len[c] / CELL_BP + 16));
    GRN_TRY(place_promoters(s, &m, n_promoter));
    GRN_TRY(place_enhancers(s, &m, n_enhancer, target, n_target));
    GRN_TRY(place_decoys(s, &m, n));
    GRN_TRY(finish_regions(s, n));
end:
    for (size_t c = 0; m.taken && c < m.n_chrom; c++) free(m.taken[c]);
    free(m.taken);
    free(target);
    return rc;
}
