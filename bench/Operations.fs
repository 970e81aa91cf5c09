namespace Curvature.Bench

open Curvature
open Curvature.FSharp

/// One thing to time. A run covers `Repeats` units (probes of a block); seconds are told per unit.
[<NoEquality; NoComparison>]
type Operation =
    {
        Name: string
        Units: int
        /// Multiplications and additions of one unit; 0 where nobody counts them.
        Flops: float
        Run: unit -> unit
    }

/// What the baseline times, as this library does it.
module Operations =

    let private block = 16

    /// Loss and gradient at a point, and v ↦ Hv there.
    let products (loss: Tensor -> Tensor) : Tensor -> CompiledMap =
        Compile.family (fun theta ->
            let (value, gradient), product = Linearized.gradient loss theta
            [ value; gradient ], product)

    /// Loss at a point, and v ↦ vᵀHv there.
    let forms (loss: Tensor -> Tensor) : Tensor -> CompiledMap =
        Compile.family (fun theta ->
            let value, form = Linearized.quadraticForm loss theta
            [ value ], form)

    let ofWorkload (workload: Workload) : Operation list =
        let loss = workload.Model >> workload.Loss
        let theta = workload.Theta
        let n = theta.Size
        let key = Key.OfSeed 1L
        let probe = Tensor.rademacher key workload.DType [ n ]
        let probes = Tensor.rademacher key workload.DType [ block; n ]
        let compiledLoss = Compile.func loss
        let gradient = Compile.func (grad loss)

        let hessian = products loss

        let gaussNewton =
            Compile.family (fun theta ->
                let logits, jacobian = linearize workload.Model theta
                let transposed = jacobian.Transpose()
                let curvature u = hessianv workload.Loss logits u
                [ logits ], jacobian.Apply >> curvature >> transposed.Apply)

        let product = hessian theta
        let quadratic = forms loss theta
        let ggn = gaussNewton theta

        let operation name units flops run = { Name = name; Units = units; Flops = flops; Run = run >> ignore }

        [
            operation "loss" 1 workload.ForwardFlops (fun () -> compiledLoss theta)
            operation "gradient" 1 0.0 (fun () -> gradient theta)
            operation "linearize" 1 0.0 (fun () ->
                hessian theta |> ignore
                theta)
            operation "hvp" 1 product.Flops (fun () -> product.Apply probe)
            operation "hvp_block16" block product.Flops (fun () -> product.ApplyBlock probes)
            operation "trace_probe" 1 quadratic.Flops (fun () -> quadratic.Apply probe)
            operation "trace_probe_block16" block quadratic.Flops (fun () -> quadratic.ApplyBlock probes)
            operation "ggn_product" 1 ggn.Flops (fun () -> ggn.Apply probe)
        ]
