namespace Curvature

open System.Collections.Generic
open Curvature.Kernels

/// Σ over shared labels of a·b: every product of two tensors (matrix products with any transposition, batched ones,
/// outer products, weight gradients) is one of these. Each axis has a label; labels that are missing from the result
/// are summed over, and every label of an operand occurs in the other operand or in the result.
[<Sealed>]
type internal Einsum(left: int[], right: int[], result: int[]) =
    inherit BilinearPrimitive("Einsum", (List.ofArray left, List.ofArray right, List.ofArray result))

    let letters (labels: int[]) = System.String(labels |> Array.map (fun label -> char (int 'a' + label)))

    let contract left right result (a: Tensor) (b: Tensor) : Tensor = Tensor.Of(Einsum(left, right, result), a, b)

    member _.Left = left
    member _.Right = right
    member _.Result = result
    override _.ToString() = $"Einsum {letters left},{letters right}->{letters result}"

    override this.Infer operands =
        let a, b = operands[0], operands[1]

        if a.DType <> b.DType then
            Fail.dtype $"einsum: operands have different element types, {a.DType} and {b.DType}; convert one of them"

        a.RequireNumbers "einsum"

        let lengths = Dictionary<int, int>()

        let add (labels: int[]) (shape: int[]) =
            if labels.Length <> shape.Length then
                Fail.shape $"{this}: {labels.Length} labels for the {shape.Length} axes of {Shape.show shape}"

            Array.iter2
                (fun label length ->
                    match lengths.TryGetValue label with
                    | true, other when other <> length ->
                        Fail.shape (
                            $"{this}: shapes {Shape.show a.Shape} and {Shape.show b.Shape} do not fit: "
                            + $"axis {letters [| label |]} is {other} in one and {length} in the other"
                        )
                    | _ -> lengths[label] <- length)
                labels
                shape

        add left a.Shape
        add right b.Shape
        [| { a with Shape = result |> Array.map (fun label -> lengths[label]) } |]

    /// The contraction as the device sees it.
    member _.Describe(a: View, b: View, c: View, accumulate: bool) =
        let stride (labels: int[]) (view: View) label =
            match System.Array.IndexOf(labels, label) with
            | -1 -> 0
            | axis -> view.Strides[axis]

        let axis role size label =
            ContractionAxis(role, size, stride left a label, stride right b label, stride result c label)

        let length label =
            match System.Array.IndexOf(left, label) with
            | -1 -> b.Shape[System.Array.IndexOf(right, label)]
            | position -> a.Shape[position]

        let has labels label = Array.contains label labels

        let axes =
            [|
                for label in result do
                    let role =
                        match has left label, has right label with
                        | true, true -> AxisRole.Batch
                        | true, false -> AxisRole.Left
                        | _ -> AxisRole.Right

                    axis role (length label) label
                for label in left do
                    if not (has result label) then axis AxisRole.Inner (length label) label
            |]

        ContractionDescription(a.DType, axes, a.Place, b.Place, c.Place, accumulate)

    override this.Evaluation =
        Accumulate(fun emitter sources target add ->
            let contraction = this.Describe(sources[0], sources[1], target, add)
            let reads = if add then [ sources[0]; sources[1]; target ] else [ sources[0]; sources[1] ]
            emitter.Emit(emitter.Device.Contract contraction, reads, [ target ]))

    /// The adjoint of a ↦ contract(a, b) contracts the cotangent with b: the label lists trade places.
    override _.Adjoint(k, _, cotangent, other) =
        if k = 0 then
            contract result right left cotangent other
        else
            contract left result right other cotangent

    /// A batched operand gains a label; the other stays as it is, so that the batch folds into one product.
    override _.Batch(_, operands, batched) =
        let fresh = 1 + Array.fold max -1 (Array.concat [ left; right; result ])
        let add isBatched labels = if isBatched then Array.append [| fresh |] labels else labels

        [|
            contract (add batched[0] left) (add batched[1] right) (add true result) operands[0] operands[1]
        |]
