namespace Curvature.FSharp

open System
open System.Diagnostics
open Curvature

/// Checking an operator before it is trusted: what it claims, and what every operator must fulfil. Checks are made on
/// random vectors: they find what is wrong with most vectors, and prove nothing.
[<RequireQualifiedAccess>]
module Diagnose =

    /// Errors of the operator itself, such as products that are not finite or data that change, are findings.
    let private attempt (options: DiagnoseOptions) name (check: unit -> OperatorCheck) : OperatorCheck =
        let cancelled () = OperatorChecks.Skipped name "cancelled"

        if options.Cancellation.IsCancellationRequested then
            cancelled ()
        else
            try
                check ()
            with
            | :? CurvatureException as found -> OperatorChecks.Failed name found.Message
            | :? OperationCanceledException when options.Cancellation.IsCancellationRequested -> cancelled ()

    let private diagnose
        (options: DiagnoseOptions)
        (differences: OperatorChecks -> OperatorCheck)
        (a: LinearOperator)
        : Diagnosis =
        options.Cancellation.ThrowIfCancellationRequested()
        let watch = Stopwatch.StartNew()
        let checks = OperatorChecks(options, a)
        let products = attempt options "products" checks.ProductsAreFinite
        let isFinite = products.Outcome = CheckOutcome.Passed

        let others =
            [
                "determinism", checks.Determinism
                "linearity", checks.Linearity
                "blocks", checks.Blocks
                "symmetry", checks.Symmetry
                "transpose", checks.Transpose
                "quadratic forms", checks.QuadraticForms
                "definiteness", checks.Definiteness
                "finite differences", (fun () -> differences checks)
            ]

        let check (name, run) =
            if isFinite then
                attempt options name run
            else
                OperatorChecks.Skipped name "there are no products to look at"

        let found = products :: List.map check others

        let uncertainty =
            try
                if isFinite && not options.Cancellation.IsCancellationRequested then
                    checks.TraceUncertainty()
                else
                    null
            with :? CurvatureException ->
                // Data that change. The check of determinism has reported them.
                null

        let isCancelled =
            options.Cancellation.IsCancellationRequested
            && (a.Definition.FormsByBatch.IsSome && isNull uncertainty
                || found |> List.exists (fun check -> check.Explanation = "cancelled"))

        let run =
            {
                DiagnosisRun.Matvecs = checks.Matvecs
                Seconds = watch.Elapsed.TotalSeconds
                IsCancelled = isCancelled
            }

        Diagnosis(string a, found, uncertainty, a.Definition.Warnings, run)

    let private withoutFunction (_: OperatorChecks) =
        OperatorChecks.Skipped "finite differences" "no function was given"

    /// Checks that products are finite, the same bits twice, linear, and the same alone and in a block; symmetry,
    /// transpose, quadratic forms and definiteness, as far as they are claimed; and for an operator over batches how
    /// much of its trace's uncertainty comes from probes and how much from the data. Errors that the operator itself
    /// raises are findings, not exceptions. With p probes and s Lanczos steps it costs about 4p + s products, p of the
    /// transpose, and 4p quadratic forms.
    let run (options: DiagnoseOptions) (a: LinearOperator) : Diagnosis = diagnose options withoutFunction a

    /// The same, and that products are differences of a gradient at θ, as those of a Hessian are: 12 gradients and 4
    /// for each of 4 probes. A gradient that differs from call to call is a finding. Raises ShapeException for a point
    /// or a gradient that does not fit.
    let againstGradient
        (options: DiagnoseOptions)
        (gradient: Tensor -> Tensor)
        (theta: Tensor)
        (a: LinearOperator)
        : Diagnosis =
        if theta.Size <> a.Columns || theta.DType <> a.DType then
            Fail.shape (
                $"Diagnose: the point must have {a.Columns} elements of {a.DType}, and it is "
                + $"{theta.DType}{Shape.show theta.Signature.Shape}"
            )

        let differences (checks: OperatorChecks) =
            DifferenceCheck.run gradient theta (options.ToleranceFor a.DType) checks.Vectors checks.Products

        diagnose options differences a

    /// The same for the gradient of a risk.
    let againstRisk (options: DiagnoseOptions) (risk: EmpiricalRisk) (theta: Tensor) (a: LinearOperator) : Diagnosis =
        againstGradient options (fun theta -> (Gradient.uncompiled risk theta).Gradient) theta a
