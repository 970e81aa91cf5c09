namespace Curvature.Bench

open System
open Curvature
open Curvature.FSharp

/// One thing to time, with what it needs made ready. A run covers `Units` products, forms or gradients; seconds are
/// told per unit.
[<NoEquality; NoComparison>]
type Prepared =
    {
        Units: int
        /// Multiplications and additions of one unit; 0 where nobody counts them.
        Flops: float
        Run: unit -> unit
    }

/// One thing to time.
[<NoEquality; NoComparison>]
type Operation =
    {
        Name: string
        /// Whether it is the first run of a process that counts, from the start of the process.
        IsFirst: bool
        Prepare: Workload -> Prepared
    }

/// What the baselines time, as this library does it.
module Operations =

    let private block = 16
    let private key = Key.OfSeed 1L

    let private probes (workload: Workload) count = Tensor.rademacher key workload.DType [ count; workload.Theta.Size ]

    let private prepared units flops (run: unit -> 'T) = { Units = units; Flops = flops; Run = run >> ignore }

    let private gaussNewton (workload: Workload) = GaussNewton.specifyNamed "" workload.Model workload.Criterion

    let private compile (at: Tensor -> Linearization) : Tensor -> CompiledMap =
        Compile.family (at >> Linearization.toValues)

    /// Loss and gradient at a point, and v ↦ Hv there.
    let productsOf (loss: Tensor -> Tensor) : Tensor -> CompiledMap = compile (Hessian.specify loss).Matvec

    let products (workload: Workload) : CompiledMap = productsOf workload.Loss workload.Theta

    /// Loss at a point, and v ↦ vᵀHv there.
    let forms (workload: Workload) : CompiledMap = compile (Hessian.specify workload.Loss).Form workload.Theta

    /// A map at the point, applied to one vector, and to a block of them.
    let private alone name (map: Workload -> CompiledMap) =
        {
            Name = name
            IsFirst = false
            Prepare =
                fun workload ->
                    let map = map workload
                    let probe = Tensor.item 0 0 (probes workload 1)
                    prepared 1 map.Flops (fun () -> map.Apply probe)
        }

    let private inBlock name (map: Workload -> CompiledMap) =
        {
            Name = $"{name}_block{block}"
            IsFirst = false
            Prepare =
                fun workload ->
                    let map = map workload
                    let probes = probes workload block
                    prepared block map.Flops (fun () -> map.ApplyBlock probes)
        }

    let private both name map = [ alone name map; inBlock name map ]

    let private loss =
        {
            Name = "loss"
            IsFirst = false
            Prepare =
                fun workload ->
                    let loss = Compile.func workload.Loss
                    prepared 1 workload.ForwardFlops (fun () -> loss workload.Theta)
        }

    /// Three products a layer, where a forward pass has one.
    let private gradient =
        {
            Name = "gradient"
            IsFirst = false
            Prepare =
                fun workload ->
                    let gradient = Compile.func (grad workload.Loss)
                    prepared 1 (3.0 * workload.ForwardFlops) (fun () -> gradient workload.Theta)
        }

    /// The move to another point, on plans that exist.
    let private linearize =
        {
            Name = "linearize"
            IsFirst = false
            Prepare =
                fun workload ->
                    let family = productsOf workload.Loss
                    prepared 1 0.0 (fun () -> (family workload.Theta).Dispose())
        }

    let private empiricalFisher =
        {
            Name = "fisher_product"
            IsFirst = false
            Prepare =
                fun workload ->
                    let losses (logits: Tensor) =
                        let classes = logits.Shape[1]
                        Tensor.softmaxCrossEntropy logits (Tensor.oneHot workload.DType classes workload.Targets)

                    let fisher = Fisher.empirical losses workload.Model workload.Theta
                    let probe = Tensor.item 0 0 (probes workload 1)
                    prepared 1 0.0 (fun () -> fisher.Apply probe)
        }

    /// The first product, from a network to a result, in a process that has computed nothing before.
    let private first =
        {
            Name = "first_hvp"
            IsFirst = true
            Prepare =
                fun workload ->
                    prepared 1 0.0 (fun () -> (products workload).Apply(Tensor.item 0 0 (probes workload 1)))
        }

    let all: Operation list =
        [
            loss
            gradient
            linearize
            yield! both "hvp" products
            yield! both "trace_probe" forms
            yield! both "ggn_product" (fun workload -> compile (gaussNewton workload).Matvec workload.Theta)
            yield! both "ggn_form" (fun workload -> compile (gaussNewton workload).Form workload.Theta)
            empiricalFisher
            first
        ]
