/* Fragments of an atlas: cells of several types, regions sorted along one long chromosome each, every region open at its own rate in
 * every type. Text, sorted, on stdout; regions.bed and cells.tsv (barcode, cell_type) in DIR. For measuring size, not for biology: see
 * grn-sim. Run by atlas.sh.
 *     atlas DIR CELLS REGIONS PER_CELL TYPES | bgzip -@2 -l1 >DIR/fragments.tsv.gz */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 20250301;

static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double unif(void) { return (double)(next() >> 11) * 0x1p-53; }
static double normal(void) { return sqrt(-2 * log(1 - unif())) * cos(6.283185307179586 * unif()); }

static char *put_number(char *p, uint64_t v)
{
    char digit[20];
    int n = 0;
    do digit[n++] = (char)('0' + v % 10); while (v /= 10);
    while (n) *p++ = digit[--n];
    return p;
}

static int by_start(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    if (argc != 6) return fprintf(stderr, "usage: atlas DIR CELLS REGIONS PER_CELL TYPES\n"), 2;
    const size_t C = strtoul(argv[2], 0, 10), R = strtoul(argv[3], 0, 10), T = strtoul(argv[5], 0, 10), chroms = 20;
    const double per_cell = strtod(argv[4], 0);
    char path[4096], (*barcode)[19] = malloc(C * 19), *out = malloc(1 << 20);
    double *base = malloc(R * sizeof *base), sum = 0;
    uint64_t *f = malloc((size_t)(64 * per_cell * (double)C / (double)R + 1000) * sizeof *f);
    snprintf(path, sizeof path, "%s/cells.tsv", argv[1]);
    FILE *cells = fopen(path, "w");
    snprintf(path, sizeof path, "%s/regions.bed", argv[1]);
    FILE *bed = fopen(path, "w");
    if (!cells || !bed || !barcode || !out || !base || !f || T < 1 || T > 64) return fprintf(stderr, "atlas: cannot start\n"), 1;
    fprintf(cells, "barcode\tcell_type\n");
    for (size_t c = 0; c < C; c++) { /* cell c is of type c mod T */
        uint64_t x = c * 2654435761u % 4294967296u;
        for (int i = 0; i < 16; i++, x >>= 2) barcode[c][i] = "ACGT"[x & 3];
        memcpy(barcode[c] + 16, "-1", 3);
        fprintf(cells, "%s\ttype%02zu\n", barcode[c], c % T + 1);
    }
    for (size_t r = 0; r < R; r++) sum += base[r] = exp(normal());
    for (size_t r = 0; r < R; r++) {
        size_t chrom = r * chroms / R + 1, start = 10000 + 2000 * (r - (chrom - 1) * R / chroms);
        double rate[64], total = 0;
        for (size_t t = 0; t < T; t++) total += rate[t] = unif() < 0.2 ? 4 : 0.6;
        double mean = per_cell * (double)C * base[r] / sum * total / (double)T / 1.28;
        size_t n = (size_t)(mean + sqrt(mean) * normal() + 0.5);
        if (mean < 1) n = unif() < mean;
        if ((double)n > 60 * per_cell * (double)C / (double)R) n = (size_t)(60 * per_cell * (double)C / (double)R);
        fprintf(bed, "chr%zu\t%zu\t%zu\n", chrom, start, start + 500);
        for (size_t i = 0; i < n; i++) {
            double u = unif() * total;
            size_t t = 0;
            while (t + 1 < T && u >= rate[t]) u -= rate[t++];
            size_t cell = (size_t)(unif() * (double)((C - t + T - 1) / T)) * T + t;
            f[i] = (start + next() % 460) << 32 | cell;
        }
        qsort(f, n, sizeof *f, by_start);
        for (size_t i = 0; i < n;) {
            char *p = out;
            for (; i < n && p < out + (1 << 20) - 100; i++) {
                uint64_t s = f[i] >> 32;
                p = put_number((char *)memcpy(p, "chr", 3) + 3, chrom);
                *p++ = '\t';
                p = put_number(p, s);
                *p++ = '\t';
                p = put_number(p, s + 40 + next() % 200);
                *p++ = '\t';
                p = (char *)memcpy(p, barcode[f[i] & 0xffffffff], 18) + 18;
                memcpy(p, "\t1\n", 3);
                p += 3;
            }
            if (fwrite(out, 1, (size_t)(p - out), stdout) != (size_t)(p - out)) return perror("atlas"), 1;
        }
    }
    return fclose(cells) || fclose(bed) || fflush(stdout);
}
