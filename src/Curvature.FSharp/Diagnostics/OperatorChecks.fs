namespace Curvature.FSharp

open System
open Curvature

/// Random vectors and their products, on which an operator's checks are made, and the checks.
[<Sealed>]
type internal OperatorChecks(options: DiagnoseOptions, a: LinearOperator) =
    let tolerance = options.ToleranceFor a.DType
    let count = options.Probes
    let mutable matvecs = 0

    let counted (multiply: Tensor -> 'T) (block: Tensor) : 'T =
        matvecs <- matvecs + (if block.Rank = 1 then 1 else block.Signature.Shape[0])
        multiply block

    let apply block = counted a.Apply block
    let draw number length = Probe.drawOn a.Device Probe.gaussian (options.Key.FoldIn number) length (0, count) a.DType
    let v = draw 0u a.Columns
    let product = lazy (apply v)

    let wide (t: Tensor) = Tensor.convert DType.Float64 t

    /// ⟨xᵢ, yⱼ⟩ in Float64.
    let dots (x: Tensor) (y: Tensor) = Tensor.einsum "in,jn->ij" (wide x) (wide y)
    let norm (t: Tensor) = (Tensor.norm (wide t)).ToScalar()

    /// ‖x − y‖, relative to ‖x‖ + ‖y‖.
    let distance (x: Tensor) (y: Tensor) =
        let size = norm x + norm y
        if size = 0.0 then 0.0 else norm (wide x - wide y) / size

    let bits (t: Tensor) = t.ToArray() |> Array.map BitConverter.DoubleToInt64Bits

    static member Skipped name explanation = OperatorCheck(name, CheckOutcome.Skipped, nan, nan, explanation)

    static member Failed name explanation = OperatorCheck(name, CheckOutcome.Failed, nan, nan, explanation)

    /// A measured error against what is allowed; NaN fails.
    static member Measured name error allowed explanation =
        let outcome = if error <= allowed then CheckOutcome.Passed else CheckOutcome.Failed
        OperatorCheck(name, outcome, error, allowed, explanation)

    /// How many products were taken.
    member _.Matvecs = matvecs

    /// Counts products that others took.
    member _.Spend(products: int) = matvecs <- matvecs + products

    /// Random vectors, [probes; n].
    member _.Vectors = v

    /// Their products.
    member _.Products = product.Value

    /// Passes where the products do not raise: wherever one is made, it is checked to be finite.
    member _.ProductsAreFinite() =
        product.Force() |> ignore
        OperatorCheck("products", CheckOutcome.Passed, nan, nan, $"{count} products have no NaN and no infinity")

    member _.Determinism() =
        let again = apply v
        let error = distance product.Value again
        let sameProduct = bits product.Value = bits again

        let sameForms = a.QuadraticForms |> Option.forall (fun forms -> bits (counted forms v) = bits (counted forms v))

        let what =
            match sameProduct, sameForms with
            | true, true -> "products of the same vectors have the same bits"
            | true, false ->
                "quadratic forms of the same vectors differ; is a function random, or a source of data shuffled anew?"
            | _ -> "products of the same vectors differ; is a function random, or a source of data shuffled anew?"

        let outcome = if sameProduct && sameForms then CheckOutcome.Passed else CheckOutcome.Failed
        OperatorCheck("determinism", outcome, error, 0.0, what)

    member _.Linearity() =
        let u = draw 1u a.Columns
        let error = distance (apply (2.0 * u - 3.0 * v)) (2.0 * apply u - 3.0 * product.Value)
        OperatorChecks.Measured "linearity" error tolerance "A(2u − 3v) and 2Au − 3Av, relative to their norms"

    member _.Blocks() =
        let alone = Tensor.stack 0 [ for row in 0..1 -> apply (Tensor.item 0 row v) ]
        let error = distance alone (Tensor.slice 0 0 2 product.Value)

        OperatorChecks.Measured
            "blocks"
            error
            tolerance
            "products of vectors alone and in a block, relative to their norms"

    member _.Symmetry() =
        if not a.IsSquare then
            OperatorChecks.Skipped "symmetry" $"the operator has shape [{a.Rows}; {a.Columns}]"
        else
            // Over pairs of different normal vectors, E⟨u, (A − Aᵀ)v⟩² = ‖A − Aᵀ‖² and E‖Av‖² = ‖A‖², both in
            // Frobenius's norm.
            let products = dots v product.Value
            let difference = norm (products - Tensor.transpose products) / sqrt (float (count * (count - 1)))
            let size = norm product.Value / sqrt (float count)
            let error = if size = 0.0 then 0.0 else difference / size

            if a.IsSymmetric then
                OperatorChecks.Measured
                    "symmetry"
                    error
                    tolerance
                    "⟨u, Av⟩ and ⟨Au, v⟩: about ‖A − Aᵀ‖/‖A‖ in Frobenius's norm"
            else
                OperatorCheck(
                    "symmetry",
                    CheckOutcome.Skipped,
                    error,
                    nan,
                    "about ‖A − Aᵀ‖/‖A‖ in Frobenius's norm; symmetry is not claimed"
                )

    member _.Transpose() =
        match a.IsSymmetric, OperatorAlgebra.adjoint a.Definition with
        | true, _ -> OperatorChecks.Skipped "transpose" "the operator is claimed to be symmetric"
        | _, ValueNone -> OperatorChecks.Skipped "transpose" "its products are not known"
        | _ ->
            let u = draw 2u a.Rows
            let left, right = dots u product.Value, dots (counted a.Transposed.Apply u) v
            let size = norm product.Value * sqrt (float count)
            let error = if size = 0.0 then norm right else norm (left - right) / size
            OperatorChecks.Measured "transpose" error tolerance "⟨u, Av⟩ and ⟨Aᵀu, v⟩, relative to ‖Av‖"

    member _.QuadraticForms() =
        match a.QuadraticForms with
        | None -> OperatorChecks.Skipped "quadratic forms" "they are taken by the product"
        | Some forms ->
            let expected = Products.rowDots (wide v) (wide product.Value)
            let size = max (norm expected) (norm product.Value)
            let difference = norm (wide (counted forms v) - expected)
            let error = if size = 0.0 then difference else difference / size
            OperatorChecks.Measured "quadratic forms" error tolerance "vᵀAv and vᵀ(Av), relative to ‖Av‖"

    member this.Definiteness() =
        let name = "definiteness"

        if not a.IsSymmetric then
            OperatorChecks.Skipped name "the operator is not claimed to be symmetric"
        elif a.Columns = 0 then
            OperatorChecks.Skipped name "the operator has no columns"
        else
            let lanczos = Lanczos.runWith options.Cancellation options.LanczosSteps (options.Key.FoldIn 3u) a
            this.Spend lanczos.Matvecs
            // Fewer steps than were asked for might miss what is looked for.
            if lanczos.IsCancelled then options.Cancellation.ThrowIfCancellationRequested()
            let squares = (Products.rowDots (wide v) (wide v)).ToArray()
            let forms = (Products.rowDots (wide v) (wide product.Value)).ToArray()
            let quotients = Array.append lanczos.RitzValues (Array.map2 (/) forms squares)
            let least, largest = Array.min quotients, Array.max quotients
            let size = max (abs least) (abs largest)
            let error = if size = 0.0 then 0.0 else max 0.0 (-least / size)
            let range = $"Rayleigh quotients and {lanczos.Steps} Ritz values lie between {least:G4} and {largest:G4}"

            if a.IsPositiveSemidefinite then
                OperatorChecks.Measured name error tolerance range
            else
                OperatorCheck(name, CheckOutcome.Skipped, nan, nan, $"{range}; definiteness is not claimed")

    /// For operators over two batches or more; otherwise null.
    member _.TraceUncertainty() : TraceUncertainty =
        match a.Definition.FormsByBatch with
        | ValueNone -> null
        | ValueSome formsByBatch ->
            let z = Probe.drawOn a.Device Probe.rademacher (options.Key.FoldIn 4u) a.Columns (0, count) a.DType
            let parts = counted formsByBatch z
            let sizes = [| for size, _ in parts -> size |]

            if sizes.Length < 2 then
                null
            else
                TraceVariance.analyse sizes [| for _, forms in parts -> forms.ToArray() |]
