namespace Curvature.FSharp

open System.Diagnostics
open Curvature

/// What a monitor measures at a point. Everything is compiled at the first.
[<Sealed>]
type internal MonitorMeasurement(options: MonitorOptions, risk: EmpiricalRisk) =
    let hessians = Hessian.family risk

    let noise =
        if options.HasNoise && risk.HasData then
            ValueSome(SampleGradients.noiseScaleFamily options.Samples risk)
        else
            ValueNone

    /// A tenth of the start vector's square is random, so that no direction is missed for good.
    let randomShare = sqrt 0.1

    /// Half as much of each vector as of the one before it.
    let weights (rows: Tensor) = Array.init rows.Shape[0] (fun i -> 0.5 ** float i)

    let unit (v: Tensor) = v * (1.0 / Vectors.norm v)

    /// A start vector of length 1, and the length of its random part.
    let start (vectors: Tensor voption) (key: Key) (operator: LinearOperator) : struct (Tensor * float) =
        let random =
            Probe.drawOn operator.Device Probe.gaussian key operator.Columns (0, 1) operator.DType
            |> Tensor.flatten
            |> unit

        match vectors with
        | ValueSome rows ->
            let known = unit (Vectors.combine (weights rows) rows)
            let sum = sqrt (1.0 - randomShare * randomShare) * known + randomShare * random
            let length = Vectors.norm sum
            struct (sum * (1.0 / length), randomShare / length)
        | ValueNone -> struct (random, 1.0)

    let sharpness vectors key (operator: LinearOperator) =
        let watch = Stopwatch.StartNew()
        let struct (first, share) = start vectors key operator
        let steps = if vectors.IsSome then options.LaterSteps else options.FirstSteps
        let lanczos = Lanczos.from first steps operator
        let values = lanczos.RitzValues
        let top = values.Length - 1
        let largest = max (abs values[0]) (abs values[top])

        let found: SharpnessFound =
            {
                Largest = values[top]
                Least = values[0]
                Residual = lanczos.ResidualBounds[top]
                Steps = lanczos.Matvecs
                Dimension = operator.Columns
                RandomShare = share
                IsInvariant = lanczos.IsInvariant
                Rounding = 4.0 * sqrt (float operator.Columns) * SmallMatrices.epsilon operator.DType * largest
                Seconds = watch.Elapsed.TotalSeconds
            }

        struct (found, lanczos)

    /// The Ritz vectors of largest magnitude, with the sum of their values.
    let leading (lanczos: LanczosResult) : struct (Tensor voption * float) =
        let values = lanczos.RitzValues

        // A basis as large as the space would leave nothing to sample.
        let count = min options.Vectors (min values.Length (lanczos.RitzVectors.Shape[1] - 1))
        let chosen = EigenOrder.rank SpectrumEnd.LargestMagnitude values |> Array.truncate count

        if chosen.Length = 0 then
            struct (ValueNone, 0.0)
        else
            let rows = Rows.choose (List.ofArray chosen) lanczos.RitzVectors
            struct (ValueSome rows, chosen |> Array.sumBy (fun i -> values[i]))

    /// tr H = Σ θ + E zᵀ(I − VVᵀ)H(I − VVᵀ)z for Ritz vectors V, whatever they are as long as the signs z do not
    /// depend on them: what Hutch++ does with a sketch, here with vectors that are there anyway.
    let trace (vectors: Tensor voption) (inside: float) key (operator: LinearOperator) : TraceFound =
        let watch = Stopwatch.StartNew()

        let z =
            Probe.drawOn operator.Device Probe.rademacher key operator.Columns (0, options.ProbeCount) operator.DType

        let outside =
            match vectors with
            | ValueSome rows ->
                let basis = Panels operator.Columns
                basis.Add rows
                Rows.without basis z |> Rows.without basis
            | ValueNone -> z

        let forms = (operator.QuadraticForm outside).ToArray()
        let moments = FormMoments()
        moments.Add(z, forms)
        let rounding = Rounding.ofProduct operator.DType (abs inside + abs moments.Mean)

        {
            Value = inside + moments.Mean
            Error = Rounding.hypotenuse moments.StandardError rounding
            Forms = options.ProbeCount
            Law = moments.Law
            Seconds = watch.Elapsed.TotalSeconds
        }

    /// The measurement with this number at θ, from the eigenvectors of the last one. Gives those for the next.
    member _.At(number: int, theta: Tensor, vectors: Tensor voption) =
        let keys = (options.Seed.FoldIn(uint32 number)).Split 2
        use hessian = (hessians theta).Hessian

        let usable =
            match vectors with
            | ValueSome rows when rows.Shape[1] <> hessian.Columns || rows.DType <> hessian.DType ->
                Fail.shape (
                    $"monitor: θ has {hessian.Columns} elements of {hessian.DType}, and that of the last measurement "
                    + $"had {rows.Shape[1]} of {rows.DType}"
                )
            | _ -> vectors

        let struct (found, lanczos) = sharpness usable keys[0] hessian
        let struct (next, inside) = leading lanczos
        let ofTrace = trace next inside keys[1] hessian
        let ofNoise = noise |> ValueOption.map (fun family -> family theta)
        struct (found, ofTrace, ofNoise, next)
