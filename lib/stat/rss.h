/* Regulon specificity score (Suo 2018): RSS = 1 - sqrt(JSD(p, q)), Jensen-Shannon divergence in bits between a regulon's activity over
 * the cells (p, sum 1) and the uniform distribution on the cells of a type (q): 1 when the regulon is on in that type only, evenly; 0
 * when it is nowhere there. */
#ifndef GRN_STAT_RSS_H
#define GRN_STAT_RSS_H

/* A cell of the type: p log2(2p/(p+q)) + q log2(2q/(p+q)); p >= 0, q > 0; in [-q, q + p]. */
double grn_rss_term(double p, double q);

/* From the sums over the type's cells: p_in of p, term of the terms. A cell elsewhere contributes p. */
double grn_rss(double p_in, double term);

#endif
