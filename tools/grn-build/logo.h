/* Sequence logos as inline SVG: letters stacked by their share of the information of a position (Schneider & Stephens 1990).
 *
 * Height of a letter = p x (2 + sum p log2 p) bits, the tallest on top, without small-sample correction. The letters are outlines
 * of our own, so that a page looks alike everywhere; they are defined once (grn_logo_letters) and used by reference. */
#ifndef GRN_BUILD_LOGO_H
#define GRN_BUILD_LOGO_H

#include "base/file.h"
#include "io/motifs.h"

/* Bits of a position with probabilities p[4]: 0 to 2. */
double grn_logo_bits(const double p[4]);
/* A hidden <svg> that defines the four letters: once, before the first logo. */
grn_status grn_logo_letters(grn_out_t *o) GRN_MUST_USE;
/* <svg> of a motif, `height` pixels high for 2 bits. Letters lower than 1/50 bit are left out. */
grn_status grn_logo_svg(grn_out_t *o, const grn_motif_t *m, double height) GRN_MUST_USE;

#endif
