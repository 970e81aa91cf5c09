namespace Curvature.FSharp

open System

/// Levels for contours.
module internal Levels =

    let private most = 9

    /// 1, 2 and 5 times powers of ten, or every so many powers of ten.
    let private byFactors (low: float) (high: float) =
        let first, last = int (floor (log10 low)), int (ceil (log10 high))

        let candidates factors stride =
            [|
                for exponent in first..last do
                    if exponent % stride = 0 then
                        for factor in factors -> factor * Math.Pow(10.0, float exponent)
            |]
            |> Array.filter (fun level -> level > low && level < high)

        Seq.append
            [ candidates [ 1.0; 2.0; 5.0 ] 1; candidates [ 1.0; 3.0 ] 1 ]
            (Seq.initInfinite (fun i -> candidates [ 1.0 ] (i + 1)))
        |> Seq.find (fun levels -> levels.Length <= most)

    /// About eight nice numbers strictly between two numbers.
    let between (low: float) (high: float) : float[] =
        if not (high > low) then
            [||]
        elif low > 0.0 && high / low > 30.0 then
            byFactors low high
        else
            Scale.niceNumbers 8 low high |> Array.filter (fun level -> level > low && level < high)
