/** Who answers at the base URL. */
export interface Origin {
  /** Whether it has spoken our protocol so far. Before, a refusal without its envelope may be anybody's: a proxy's, a captive portal's. */
  hasSpoken: boolean;
}
