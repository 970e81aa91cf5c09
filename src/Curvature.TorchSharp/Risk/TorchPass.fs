namespace Curvature.TorchSharp

open global.TorchSharp
open Curvature
open Curvature.FSharp

/// The sums of a pass over the data.
[<NoEquality; NoComparison>]
type internal TorchTotals =
    {
        /// Means or sums, in Float64.
        Totals: Tensor list
        /// The number of batches.
        Batches: int
        /// The names of buffers that the pass moved; they are put back.
        Moved: string list
    }

/// Reading the data of a risk in torch: the only place that does.
module internal TorchPass =

    let private weighted (risk: TorchRiskDefinition) (part: TorchPart) (t: Tensor) : Tensor =
        let t = Tensor.convert DType.Float64 t
        if risk.Reduction = Reduction.Sum then t else float part.Size * t

    let private divisor (risk: TorchRiskDefinition) (samples: int) =
        if risk.Reduction = Reduction.Sum then 1.0 else float samples

    /// Gives every part of a pass, with its number, to a function, alone and with torch's random numbers from a state
    /// on, and adds what it returns along the tree. What is made on the way is disposed of after each part. Raises
    /// DataException where there is no part.
    let totals
        (name: string)
        (risk: TorchRiskDefinition)
        (state: TorchTensor voption)
        (each: int -> TorchPart -> Tensor list)
        : TorchTotals =
        let trees = ResizeArray<TreeSum>()
        let mutable samples = 0
        let mutable count = 0

        let add (part: TorchPart) =
            if part.Size < 1 then
                Fail.data $"{name}{part.Suffix}: a batch has at least one sample, and this one has {part.Size}"

            each count part
            |> List.iteri (fun i t ->
                if trees.Count = i then trees.Add(TreeSum())
                trees[i].Add(weighted risk part t))

            samples <- samples + part.Size
            count <- count + 1

        let pass () =
            use parts = risk.Parts().GetEnumerator()
            let mutable isMore = true

            while isMore do
                use _scope = torch.NewDisposeScope()
                isMore <- parts.MoveNext()
                if isMore then add parts.Current

        let (), moved =
            TorchState.exclusively name (fun () ->
                TorchState.keepingRandomState state (fun () -> risk.Buffers.Keeping pass))

        if count = 0 then Fail.data $"{name}: there are no batches"

        {
            Totals = [ for tree in trees -> tree.Total.Value / divisor risk samples ]
            Batches = count
            Moved = moved
        }
