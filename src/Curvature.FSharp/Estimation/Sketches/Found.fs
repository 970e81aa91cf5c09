namespace Curvature.FSharp

open Curvature

module internal Found =

    /// A number.
    let scalar independent isExact (struct (value, error)) : Found<Estimate<float>> =
        {
            Summary = Summaries.ofSketch independent value error isExact
            Finish = Estimates.scalar value error
        }

    /// A diagonal, or sums of it, whose error is known from two vectors on.
    let diagonal (goal: DiagonalGoal<'T>) independent isExact (struct (value: Tensor, error: Tensor)) : Found<'T> =
        let norm (t: Tensor) = (Tensor.norm t).ToScalar()
        let known = if independent < 2 && not isExact then infinity else norm error

        {
            Summary = Summaries.ofSketch independent (norm value) known isExact
            Finish = goal.Finish SampleLaw.symmetric value error
        }
