namespace Curvature.FSharp

/// What an estimator knows at an interim analysis. For a vector, values and errors are Euclidean norms.
[<NoEquality; NoComparison>]
type internal Summary =
    {
        Value: float
        /// Infinite where it is not known.
        StandardError: float
        /// How many independent numbers the standard error rests on.
        Independent: int
        /// The standard deviation of one more sample; NaN where samples are not independent.
        Spread: float
        /// The skewness seen in the samples; 0 where it is not known.
        Skewness: float
        /// How skewed the samples may be, for the interval of a number of samples that was fixed beforehand.
        Law: SampleLaw
        /// In how many independent directions the error of a vector lies: (tr Σ)²/tr Σ², 1 for a number.
        Dimension: float
        IsExact: bool
    }
