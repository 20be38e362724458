/* A fragment file of the size of a real sample, for timing: positions sorted, barcodes of cells and of empty droplets, fragments
 * gathered at regions and at TSS. Also writes its regions and its TSS. Not a simulator: see grn-sim.
 *
 *     cc -O2 -o fragments bench/fragments.c -lm
 *     ./fragments DIR [MILLIONS=20] [CELLS=10000] [REGIONS=150000]    # DIR/regions.bed, DIR/tss.bed; fragments on stdout
 *     ./fragments DIR | bgzip -@2 >DIR/fragments.tsv.gz
 *     ./fragments full CELLS REGIONS                                   # a fragment of every cell in every region of 1 kb
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 20240607;

static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double unif(void)
{
    return (double)(next() >> 11) * 0x1p-53;
}

static const double chrom_mb[24] = { 249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133,
                                     114, 107, 102, 90,  83,  80,  59,  64,  47,  51,  156, 57 };
static char barcode[1 << 20][24];

static void chrom_name(char *s, int c)
{
    if (c < 22) snprintf(s, 8, "chr%d", c + 1);
    else snprintf(s, 8, c == 22 ? "chrX" : "chrY");
}

static FILE *open_in(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) perror(path), exit(1);
    return f;
}

/* Nucleosome-free, mono-, di-nucleosomal lengths. */
static int length(void)
{
    double u = unif(), v = unif() + unif() + unif() - 1.5;
    return (int)(u < 0.55 ? 85 + 50 * v : u < 0.85 ? 195 + 40 * v : 380 + 60 * v);
}

static uint32_t of_draw[1 << 20]; /* cells by depth */

static double normal(void)
{
    return sqrt(-2 * log(1 - unif())) * cos(6.283185307179586 * unif());
}

/* Depths of cells: log-normal. */
static void share_draws(uint32_t cells)
{
    double *w = malloc(cells * sizeof *w), sum = 0, at = 0;
    size_t k = 0, n = sizeof of_draw / sizeof *of_draw;
    if (!w) exit(1);
    for (uint32_t i = 0; i < cells; i++) sum += w[i] = exp(0.5 * normal());
    for (uint32_t i = 0; i < cells; i++)
        for (at += w[i] / sum * (double)n; k < n && (double)k < at; k++) of_draw[k] = i;
    while (k < n) of_draw[k++] = cells - 1;
    free(w);
}

typedef struct {
    int start, end;
    uint32_t barcode;
} frag_t;

static int by_place(const void *a, const void *b)
{
    const frag_t *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* k fragments around a region: one in ten is of an empty droplet and lies anywhere; of the others two in three lie at it. */
static void put_fragments(const char *chrom, double centre, double every, size_t k, uint32_t cells, uint32_t empty)
{
    static frag_t f[1 << 20];
    if (k > 1 << 20) k = 1 << 20;
    for (size_t i = 0; i < k; i++) {
        uint64_t r = next();
        int is_cell = r % 10 != 0, len = length();
        int s = (int)(is_cell && unif() < 0.66 ? centre - 300 + 500 * unif() : centre + every * (unif() - 0.5));
        uint32_t b = is_cell ? of_draw[r >> 8 & ((1 << 20) - 1)] : cells + (uint32_t)(next() % empty);
        f[i] = (frag_t){ s, s + (len < 20 ? 20 : len), b };
    }
    qsort(f, k, sizeof *f, by_place);
    for (size_t i = 0; i < k; i++) {
        uint64_t r = next();
        printf("%s\t%d\t%d\t%s\t%d\n", chrom, f[i].start, f[i].end, barcode[f[i].barcode], 1 + (int)(r & 7) / 6 + (int)(r >> 8 & 31) / 29 * 3);
    }
}

static int put_full(uint32_t cells, uint32_t regions)
{
    for (uint32_t r = 0; r < regions; r++)
        for (uint32_t c = 0; c < cells; c++) printf("chr1\t%u\t%u\tC%06u-1\t1\n", r * 1000 + 10, r * 1000 + 200, c);
    return fflush(stdout) || ferror(stdout);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "full")) return put_full((uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
    if (argc < 2) return fprintf(stderr, "fragments DIR [MILLIONS] [CELLS] [REGIONS]\n"), 2;
    double n = (argc > 2 ? strtod(argv[2], NULL) : 20) * 1e6, total = 0, left = 0;
    uint32_t cells = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 10000, empty = 200000;
    double regions = argc > 4 ? strtod(argv[4], NULL) : 150000;
    FILE *bed = open_in(argv[1], "regions.bed"), *tss = open_in(argv[1], "tss.bed");
    for (uint32_t i = 0; i < cells + empty && i < 1 << 20; i++) {
        uint64_t x = next();
        for (int k = 0; k < 16; k++) barcode[i][k] = "ACGT"[x >> 2 * k & 3];
        memcpy(barcode[i] + 16, "-1", 3);
    }
    share_draws(cells);
    for (int c = 0; c < 24; c++) total += chrom_mb[c];
    for (int c = 0; c < 24; c++) {
        char chrom[8];
        chrom_name(chrom, c);
        double size = chrom_mb[c] * 1e6, every = total * 1e6 / regions, depth = n / regions;
        for (double at = every; at + every < size; at += every) {
            int s = (int)at, is_tss = next() % 4 == 0;
            fprintf(bed, "%s\t%d\t%d\n", chrom, s - 250, s + 250);
            if (is_tss) fprintf(tss, "%s\t%d\t%d\tT%d\t0\t%c\n", chrom, s, s + 1, s, next() & 1 ? '+' : '-');
            left += depth * (is_tss ? 2 : 2.0 / 3) * unif() * 2 * size / (size - 2 * every);
            put_fragments(chrom, at, every, (size_t)left, cells, empty);
            left -= floor(left);
        }
    }
    return fclose(bed) || fclose(tss) || fflush(stdout) || ferror(stdout);
}
