namespace Curvature.Bench

open Curvature
open Curvature.FSharp

/// One thing to time. A run covers `Repeats` units (probes of a block); seconds are told per unit.
[<NoEquality; NoComparison>]
type Operation =
    { Name: string
      Units: int
      /// Multiplications and additions of one unit; 0 where nobody counts them.
      Flops: float
      Run: unit -> unit }

/// What the baseline times, as this library does it.
module Operations =

    let private block = 16

    let ofWorkload (workload: Workload) : Operation list =
        let loss = workload.Model >> workload.Loss
        let theta = workload.Theta
        let n = theta.Size
        let key = Key.OfSeed 1L
        let probe = Tensor.rademacher key workload.DType [ n ]
        let probes = Tensor.rademacher key workload.DType [ block; n ]
        let compiledLoss = Compile.func loss
        let gradient = Compile.func (grad loss)

        let hessian =
            Compile.family (fun theta ->
                let (value, gradient), product = Linearized.gradient loss theta
                [ value; gradient ], product)

        let forms =
            Compile.family (fun theta ->
                let value, form = Linearized.quadraticForm loss theta
                [ value ], form)

        let gaussNewton =
            Compile.family (fun theta ->
                let logits, jacobian = linearize workload.Model theta
                let transposed = jacobian.Transpose()
                let curvature u = hessianv workload.Loss logits u
                [ logits ], jacobian.Apply >> curvature >> transposed.Apply)

        let products = hessian theta
        let quadratic = forms theta
        let ggn = gaussNewton theta

        let operation name units flops run =
            { Name = name
              Units = units
              Flops = flops
              Run = run >> ignore }

        [ operation "loss" 1 workload.ForwardFlops (fun () -> compiledLoss theta)
          operation "gradient" 1 0.0 (fun () -> gradient theta)
          operation "linearize" 1 0.0 (fun () -> hessian theta |> ignore; theta)
          operation "hvp" 1 products.Flops (fun () -> products.Apply probe)
          operation "hvp_block16" block products.Flops (fun () -> products.ApplyBlock probes)
          operation "trace_probe" 1 quadratic.Flops (fun () -> quadratic.Apply probe)
          operation "trace_probe_block16" block quadratic.Flops (fun () -> quadratic.ApplyBlock probes)
          operation "ggn_product" 1 ggn.Flops (fun () -> ggn.Apply probe) ]
