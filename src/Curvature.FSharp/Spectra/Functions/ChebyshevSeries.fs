namespace Curvature.FSharp

open System
open Curvature

/// The Chebyshev series Σ cⱼ Tⱼ((x − centre)/halfWidth) of a function on an interval.
[<NoEquality; NoComparison>]
type internal ChebyshevSeries =
    {
        Centre: float
        HalfWidth: float
        Coefficients: float[]
        /// For each degree, a bound of |f − series| on the interval: the sum of the sizes of all later coefficients
        /// (Trefethen 2013, "Approximation Theory and Approximation Practice", section 7).
        Truncation: float[]
    }

module internal ChebyshevSeries =

    /// A function whose coefficients have not fallen to rounding by this degree is not smooth.
    let private mostDegree = 4096

    /// Coefficients from values at the Chebyshev points of the second kind cos(πi/n), i = 0 … n (Trefethen 2013,
    /// section 3): a cosine transform.
    let private transform (values: float[]) =
        let n = values.Length - 1
        // cos(πm/n) for m = 0 … 2n − 1; all angles are multiples of π/n.
        let cosines = Array.init (2 * n) (fun m -> Math.Cos(Math.PI * float m / float n))

        Array.init (n + 1) (fun j ->
            let mutable sum = 0.5 * (values[0] + (if j % 2 = 0 then values[n] else -values[n]))

            for i in 1 .. n - 1 do
                sum <- sum + values[i] * cosines[int (int64 i * int64 j % int64 (2 * n))]

            (if j = 0 || j = n then 1.0 else 2.0) * sum / float n)

    let private sizes first last (c: float[]) = Seq.sum (seq { for j in first..last -> abs c[j] })

    /// What all coefficients beyond the last add: nothing more than rounding where they have fallen to it, and else
    /// what follows from the last two octaves by a power law.
    let private beyond isResolved (c: float[]) =
        let n = c.Length - 1
        let before, last = sizes (n / 4 + 1) (n / 2) c, sizes (n / 2 + 1) n c

        if isResolved then last
        elif before <= last then infinity
        else last / (before / last - 1.0)

    let private finite (f: SpectralFunction) x =
        let y = f.Evaluate x

        if Double.IsFinite y then
            y
        else
            Fail.operator (
                $"{f.Name}: the function is {Finite.name y} at {Numbers.show x}, which is in the interval of its "
                + "Chebyshev series; state bounds of the spectrum"
            )

    /// The series of a function, of as many coefficients as it takes to resolve it.
    let ofFunction (f: SpectralFunction) (centre: float) (halfWidth: float) : ChebyshevSeries =
        // An interval that ends at 0 does so but for rounding.
        let inDomain x =
            let isRounding = x < 0.0 && x > -1e-12 * halfWidth

            if isRounding && f.Definition.Domain = FunctionDomain.Nonnegative then
                0.0
            else
                x

        let rec resolve n =
            let point i = centre + halfWidth * Math.Cos(Math.PI * float i / float n)
            let values = Array.init (n + 1) (point >> inDomain >> finite f)
            let c = transform values
            let largest = values |> Seq.map abs |> Seq.max
            let isResolved = sizes (n / 2 + 1) n c <= 1e-15 * float n * largest

            if isResolved || n >= mostDegree then
                struct (c, isResolved)
            else
                resolve (2 * n)

        let struct (c, isResolved) = resolve 16
        // Coefficients of the interpolant differ from those of the series by the later ones that they stand for.
        let truncation = Array.create c.Length (2.0 * beyond isResolved c)

        for j in c.Length - 2 .. -1 .. 0 do
            truncation[j] <- truncation[j + 1] + abs c[j + 1]

        {
            Centre = centre
            HalfWidth = halfWidth
            Coefficients = c
            Truncation = truncation
        }
