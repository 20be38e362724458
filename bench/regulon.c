/* Writes links and cistromes of the size of a whole data set: LINKS_PER_TF TF -> gene links of each TF, PAIRS region -> gene links,
 * and the regions of each TF, direct and extended (log-normal, median 2,000 each), drawn at random.
 * usage: regulon DIR TFS GENES REGIONS PAIRS LINKS_PER_TF */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "io/edges.h"

static void check(grn_status rc)
{
    if (rc) {
        fprintf(stderr, "regulon: %s\n", grn_err_msg());
        exit(1);
    }
}

static void name_all(grn_names_t *d, const char *format, size_t n, size_t step)
{
    char s[64];
    for (size_t i = 0; i < n; i++) {
        snprintf(s, sizeof s, format, i * step, i * step + 500);
        check(grn_names_add(d, s, NULL, NULL));
    }
}

static const char *at(const char *dir, const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void tf_links(const char *dir, size_t T, size_t G, size_t per_tf)
{
    grn_edges_t e = { 0 };
    float *rho, *importance;
    uint64_t *gene = malloc(per_tf * sizeof *gene);
    check(grn_edges_alloc(&e, T * per_tf, "tf,gene"));
    check(grn_edges_evidence(&e, "rho_tg", &rho));
    check(grn_edges_evidence(&e, "importance_tg", &importance));
    name_all(&e.genes, "G%05zu", G, 1);
    for (size_t t = 0, n = 0; t < T; t++) {
        grn_rng_t r;
        grn_rng_init(&r, 1, "bench.tg", t);
        grn_rng_sample(&r, G, per_tf, gene);
        for (size_t i = 0; i < per_tf; i++, n++) {
            e.tf[n] = (uint32_t)t;
            e.gene[n] = (uint32_t)gene[i];
            importance[n] = (float)grn_rng_gamma(&r, 0.5);
            rho[n] = (float)((grn_rng_unif(&r) < 0.67 ? 1 : -1) * (0.05 + 0.3 * grn_rng_unif(&r)));
        }
    }
    check(grn_edges_save(&e, at(dir, "tg.edges.zst"), NULL, NULL));
    grn_edges_clear(&e);
    free(gene);
}

/* Neighbours along the genome: a gene has PAIRS / GENES regions around its place. */
static size_t region_of(size_t g, size_t k, size_t G, size_t R, size_t per_gene)
{
    size_t first = g * R / G;
    return first + per_gene > R ? R - per_gene + k : first + k;
}

static void region_links(const char *dir, size_t G, size_t R, size_t per_gene)
{
    grn_edges_t e = { 0 };
    float *rho, *importance;
    check(grn_edges_alloc(&e, G * per_gene, "region,gene"));
    check(grn_edges_evidence(&e, "rho_sp_rg", &rho));
    check(grn_edges_evidence(&e, "importance_rg", &importance));
    name_all(&e.genes, "G%05zu", G, 1);
    name_all(&e.regions, "chr1:%zu-%zu", R, 1000);
    for (size_t g = 0, n = 0; g < G; g++) {
        grn_rng_t r;
        double sum = 0;
        grn_rng_init(&r, 1, "bench.rg", g);
        for (size_t k = 0; k < per_gene; k++, n++) {
            e.gene[n] = (uint32_t)g;
            e.region[n] = (uint32_t)region_of(g, k, G, R, per_gene);
            sum += importance[n] = (float)grn_rng_gamma(&r, 0.3);
            rho[n] = (float)((grn_rng_unif(&r) < 0.7 ? 1 : -1) * (0.05 + 0.4 * grn_rng_unif(&r)));
        }
        for (size_t k = 0; k < per_gene; k++) importance[n - per_gene + k] /= (float)sum;
    }
    check(grn_edges_save(&e, at(dir, "rg.edges.zst"), NULL, NULL));
    grn_edges_clear(&e);
}

static void cistromes(const char *dir, size_t T, size_t R)
{
    static const char *const kind[] = { "direct", "extended" }, *const meta[] = { "motifs", "M1\n", NULL };
    grn_edges_t e = { 0 };
    float *nes, *motif;
    size_t n = 0, *size = malloc(2 * T * sizeof *size);
    grn_rng_t r;
    uint64_t *region = malloc(R * sizeof *region);
    char name[32];
    for (size_t c = 0; c < 2 * T; c++) {
        grn_rng_init(&r, 1, "bench.cistrome", c);
        double x = 2000 * exp(grn_rng_normal(&r));
        n += size[c] = x > (double)R / 4 ? R / 4 : (size_t)x + 10;
    }
    check(grn_edges_alloc(&e, n, "tf,region,regulon,context"));
    check(grn_edges_evidence(&e, "nes", &nes));
    check(grn_edges_evidence(&e, "motif", &motif));
    name_all(&e.genes, "G%05zu", T, 1);
    name_all(&e.regions, "chr1:%zu-%zu", R, 1000);
    check(grn_names_add(&e.contexts, "set", NULL, NULL));
    n = 0;
    for (size_t c = 0; c < 2 * T; c++) {
        snprintf(name, sizeof name, "G%05zu_%s", c / 2, kind[c % 2]);
        check(grn_names_add(&e.regulons, name, NULL, NULL));
        grn_rng_init(&r, 1, "bench.sites", c);
        grn_rng_sample(&r, R, size[c], region);
        for (size_t i = 0; i < size[c]; i++, n++) {
            e.tf[n] = (uint32_t)(c / 2);
            e.regulon[n] = (uint32_t)c;
            e.region[n] = (uint32_t)region[i];
            nes[n] = (float)(3 + 5 * grn_rng_unif(&r));
            motif[n] = 1;
        }
    }
    check(grn_edges_save(&e, at(dir, "cistromes.edges.zst"), meta, NULL));
    printf("%zu cistrome regions\n", n);
    grn_edges_clear(&e);
    free(size);
    free(region);
}

int main(int argc, char **argv)
{
    size_t x[5];
    if (argc != 7) return 2;
    for (int i = 0; i < 5; i++) x[i] = strtoull(argv[i + 2], NULL, 10);
    size_t T = x[0], G = x[1], R = x[2], per_gene = x[3] / G, per_tf = x[4];
    tf_links(argv[1], T, G, per_tf);
    region_links(argv[1], G, R, per_gene);
    cistromes(argv[1], T, R);
    FILE *f = fopen(at(argv[1], "rna.tsv"), "w");
    if (!f) return 1;
    fputs("cell", f);
    for (size_t g = 0; g < G; g++) fprintf(f, "\tG%05zu", g);
    for (int c = 0; c < 2; c++) {
        fprintf(f, "\nc%d", c);
        for (size_t g = 0; g < G; g++) fputs("\t1", f);
    }
    fputs("\n", f);
    return fclose(f) != 0;
}
