namespace Curvature

open Curvature.FSharp

/// Mean and variance of quadratic forms of random vectors that come one after the other, and their law as far as it
/// is known.
[<Sealed>]
type internal FormMoments(shape: ProbeShape, degree: int) =
    let moments = RunningMoments()

    /// Of quadratic forms.
    new(shape) = FormMoments(shape, 2)

    /// Of vectors whose shape nobody else asks for.
    new() = FormMoments(ProbeShape())

    member _.Count = moments.Count
    member _.Mean = moments.Mean
    member _.StandardError = moments.StandardError
    member _.Skewness = moments.Skewness

    /// The skewness of the forms. Of sparse vectors it is a bound, because few of them do not show it.
    member _.LikelySkewness =
        if degree > 2 then
            (SampleLaw.ofDegree degree shape.Touched moments.Count moments.Skewness).Right
        elif shape.Touched < 1.0 then
            SampleLaw.boundOfForms shape.Touched moments.Count
        else
            moments.Skewness

    member _.Law = SampleLaw.ofDegree degree shape.Touched moments.Count moments.Skewness

    /// The forms of the rows of a block.
    member _.Add(vectors: Tensor, forms: float[]) =
        shape.Add vectors
        forms |> Array.iter moments.Add

    /// The forms of a block's rows where others have the same vectors, which their shape has seen.
    member _.AddForms(forms: float[]) = forms |> Array.iter moments.Add

    interface ISavable with
        member _.Save writer =
            (moments :> ISavable).Save writer
            (shape :> ISavable).Save writer

        member _.Restore reader =
            (moments :> ISavable).Restore reader
            (shape :> ISavable).Restore reader
