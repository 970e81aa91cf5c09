namespace Curvature.FSharp

open Curvature

/// What moments say at an interim analysis.
module internal Summaries =

    let private make count value error : Summary =
        {
            Value = value
            StandardError = error
            Independent = count
            Spread = if count < 2 then nan else error * sqrt (float count)
            Skewness = 0.0
            Dimension = 1.0
            IsExact = false
        }

    let ofMoments (moments: RunningMoments) : Summary = make moments.Count moments.Mean moments.StandardError

    let ofVectorMoments (moments: RunningVectorMoments) (dimension: ErrorDimension) : Summary =
        let struct (value, error) = moments.Norms

        { make moments.Count value error with Dimension = dimension.Value }

    /// Of several numbers from the same samples: norms.
    let ofMany (moments: RunningMoments[]) : Summary =
        let norm f = moments |> Array.sumBy (fun m -> f m ** 2.0) |> sqrt
        make moments[0].Count (norm _.Mean) (norm _.StandardError)

    /// Of a vector from so many samples; fewer than two have no error bar.
    let ofVector count (value: Tensor) (error: Lazy<Tensor>) : Summary =
        let norm (t: Tensor) = (Tensor.norm t).ToScalar()
        make count (norm value) (if count < 2 then infinity else norm error.Value)

    /// Of an estimate whose random vectors share what they find.
    let ofSketch independent value error isExact : Summary =
        { make independent value error with Spread = nan; IsExact = isExact }
