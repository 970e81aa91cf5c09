namespace Curvature.FSharp

open Curvature

/// The summaries of moments for an interim analysis.
module internal Summaries =

    /// Of a mean of so many numbers.
    let ofMean count value error : Summary =
        {
            Value = value
            StandardError = error
            Independent = count
            Spread = if count < 2 then nan else error * sqrt (float count)
            Skewness = 0.0
            Law = SampleLaw.symmetric
            Dimension = 1.0
            IsExact = false
        }

    let ofForms (moments: FormMoments) : Summary =
        { ofMean moments.Count moments.Mean moments.StandardError with
            Skewness = moments.LikelySkewness
            Law = moments.Law
        }

    let ofVectorMoments (moments: RunningVectorMoments) (dimension: ErrorDimension) : Summary =
        let struct (value, error) = moments.Norms

        { ofMean moments.Count value error with Dimension = dimension.Value }

    /// Of several numbers from the same samples: norms.
    let ofMany (moments: FormMoments[]) (dimension: ErrorDimension) : Summary =
        let norm f = moments |> Array.map f |> Rounding.length

        { ofMean moments[0].Count (norm _.Mean) (norm _.StandardError) with
            Dimension = dimension.Value
        }

    /// Of a vector from so many samples; fewer than two have no error bar.
    let ofVector count (value: Tensor) (error: Lazy<Tensor>) : Summary =
        let norm (t: Tensor) = (Tensor.norm t).ToScalar()
        ofMean count (norm value) (if count < 2 then infinity else norm error.Value)

    /// Of an estimate whose random vectors depend on each other.
    let ofSketch independent value error isExact : Summary =
        { ofMean independent value error with Spread = nan; IsExact = isExact }
