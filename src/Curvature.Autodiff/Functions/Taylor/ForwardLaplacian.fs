namespace Curvature

open Curvature.FSharp

/// Raised where tangents along all axes at once would take too much memory; blocks of axes are taken then.
exception internal SparsityLostException

/// A tensor with its tangents along the axes of a point, and half of the sum of its second derivatives along them.
[<Sealed>]
type internal LaplacianTracer(owner: Interpreter, primal: Tensor, tangents: SlotTangents voption, last: Tensor voption)
    =
    inherit Tracer(primal.Signature)
    member _.Primal = primal
    member _.Tangents = tangents
    member _.Last = last
    override _.Owner = owner
    override _.Device = primal.Device
    override _.Storage = primal.Storage
    override _.Describe() = $"tensor with a Laplacian: {primal}"

/// The collapsed sum of second derivatives along the axes of a point, where tangents that are zero, because the program
/// shows that an element does not depend on an axis, are neither kept nor multiplied (Li et al. 2024, "A computational
/// framework for neural network-based variational Monte Carlo with forward Laplacian", section on sparsity). An element
/// has a slot for each axis that it depends on: elementwise functions keep slots, moves move them, and sums over
/// elements of different axes turn these into slots without any arithmetic.
[<Sealed>]
type internal LaplacianInterpreter(depth: int, count: int) =
    inherit Interpreter(depth)

    /// Dense tangents along more axes than this, of more elements in all than `mostElements`, are not made.
    static let fewAxes = 64

    static let mostElements = 1 <<< 20

    let dense (primal: Tensor) (tangents: SlotTangents) : SlotTangents =
        if tangents.Axes.IsSome && count > fewAxes && int64 count * int64 primal.Size > int64 mostElements then
            raise SparsityLostException

        {
            Stack = SlotTangents.dense count primal.Signature.Shape tangents
            Axes = ValueNone
        }

    /// Rules applied slot by slot, as if slots were curves; the axes of each result are given.
    let bySlots (primitive: Primitive) (primals: Tensor[]) results (tangents: SlotTangents voption[]) axes =
        let slots = (tangents |> Array.find _.IsSome).Value.Slots
        let lower = tangents |> Array.map (fun own -> [| own |> ValueOption.map _.Stack |])
        let curves = { Order = 2; Count = slots; Sum = fun stack -> stack.SumOver [| 0 |] }

        CollapsedRule.series curves primitive primals results lower
        |> Array.mapi (fun r (struct (lower, source)) ->
            let own =
                lower[0]
                |> ValueOption.map (fun stack ->
                    match axes with
                    | ValueNone -> { Stack = stack; Axes = ValueNone }
                    | ValueSome(axes: int[][]) -> SlotTangents.ofSlots count stack axes[r])

            struct (own, source))

    let byAxes primitive (primals: Tensor[]) results (tangents: SlotTangents voption[]) =
        let all = Array.map2 (fun primal -> ValueOption.map (dense primal)) primals tangents
        bySlots primitive primals results all ValueNone

    /// A sum over array axes of operand k, whose axis i is `source`[i] in the result; `spread` makes the stack of more
    /// slots.
    let reduced
        primitive
        (primals: Tensor[])
        (results: Tensor[])
        (tangents: SlotTangents voption[])
        k
        summed
        source
        spread
        =
        let own = tangents[k].Value
        let shape = primals[k].Signature.Shape
        let result = struct (results[0].Signature.Shape, source)

        match SlotTangents.reduce count own.Slots shape own.Axes.Value summed result with
        | SlotTangents.Reduced.Kept axes -> bySlots primitive primals results tangents (ValueSome [| axes |])
        | SlotTangents.Reduced.Spread axes ->
            let stack = spread own.Stack
            [| struct (ValueSome(SlotTangents.ofSlots count stack axes), ValueNone) |]
        | SlotTangents.Reduced.Lost -> byAxes primitive primals results tangents

    let isMove (primitive: Primitive) =
        match primitive with
        | :? Structure.Reshape
        | :? Structure.Permute
        | :? Structure.ReverseAxes
        | :? Structure.Slice
        | :? Structure.Pad
        | :? Structure.Split
        | :? Broadcast -> true
        | _ -> false

    let sum (axes: int[]) primitive (primals: Tensor[]) results tangents =
        let kept = Shape.otherAxes axes primals[0].Rank

        let spread (stack: Tensor) : Tensor =
            let shift = Array.map ((+) 1)
            let front = Tensor.Of(Structure.Permute(Array.concat [ [| 0 |]; shift axes; shift kept ]), stack)
            let shape = kept |> Array.map (fun axis -> primals[0].Signature.Shape[axis])

            let slots =
                axes
                |> Array.fold (fun product axis -> product * primals[0].Signature.Shape[axis]) stack.Signature.Shape[0]

            Tensor.Of(Structure.Reshape(Array.append [| slots |] shape), front)

        reduced primitive primals results tangents 0 axes kept spread

    let contraction (einsum: Einsum) (primals: Tensor[]) (results: Tensor[]) (tangents: SlotTangents voption[]) k =
        let own, other = if k = 0 then einsum.Left, einsum.Right else einsum.Right, einsum.Left
        let isKept label = Array.contains label einsum.Result

        let summed =
            [|
                for axis in 0 .. own.Length - 1 do
                    if not (isKept own[axis]) then axis
            |]

        let source = einsum.Result |> Array.map (fun label -> System.Array.IndexOf(own, label))
        let slot = 1 + Array.fold max -1 (Array.concat [ own; other; einsum.Result ])

        let spread (stack: Tensor) : Tensor =
            let wide = Array.concat [ [| slot |]; summed |> Array.map (fun axis -> own[axis]); einsum.Result ]
            let ownLabels = Array.append [| slot |] own
            let product: Tensor = Tensor.Of(Einsum(ownLabels, other, wide), stack, primals[1 - k])
            let result = results[0].Signature.Shape
            Tensor.Of(Structure.Reshape(Array.append [| product.Size / max 1 results[0].Size |] result), product)

        reduced (einsum :> Primitive) primals results tangents k summed source spread

    /// Tangents of the results, and what those of the operands add to the sums of second derivatives.
    let propagate (primitive: Primitive) (primals: Tensor[]) results (tangents: SlotTangents voption[]) =
        let given = tangents |> Array.filter _.IsSome |> Array.map _.Value
        let first = given[0]
        let isSparse (own: SlotTangents) = own.Axes.IsSome

        match primitive with
        | _ when given |> Array.forall (isSparse >> not) -> bySlots primitive primals results tangents ValueNone
        | :? Elementwise when given |> Array.forall (fun own -> isSparse own && own.Axes.Value = first.Axes.Value) ->
            bySlots primitive primals results tangents (ValueSome [| first.Axes.Value |])
        | :? Structure.Convert -> bySlots primitive primals results tangents (ValueSome [| first.Axes.Value |])
        | _ when isMove primitive ->
            let axes = SlotTangents.moved primitive first.Slots primals[0].Signature.Shape first.Axes.Value [||]
            bySlots primitive primals results tangents (ValueSome axes)
        | :? Indexing.Gather when isNull primals[1].Owner ->
            let index = TensorCreation.toDevice Kernels.CpuDevice.Shared primals[1]
            let shape = primals[0].Signature.Shape
            let axes = SlotTangents.moved primitive first.Slots shape first.Axes.Value [| index |]
            bySlots primitive primals results tangents (ValueSome axes)
        | :? Sum as s when results[0].Size > 0 -> sum s.Axes primitive primals results tangents
        | :? Einsum as einsum when given.Length = 1 && results[0].Size > 0 ->
            contraction einsum primals results tangents (tangents |> Array.findIndex _.IsSome)
        | _ -> byAxes primitive primals results tangents

    member this.Join(primal: Tensor, tangents: SlotTangents voption, last: Tensor voption) : Tensor =
        if tangents.IsSome || last.IsSome then
            Tensor(LaplacianTracer(this, primal, tangents, last))
        else
            primal

    member this.Split(t: Tensor) : struct (Tensor * SlotTangents voption * Tensor voption) =
        match t.Content with
        | :? LaplacianTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) ->
            tracer.Primal, tracer.Tangents, tracer.Last
        | _ -> t, ValueNone, ValueNone

    override this.Process(primitive, operands) =
        let parts = operands |> Array.map this.Split
        let primals = parts |> Array.map (fun struct (primal, _, _) -> primal)
        let tangents = parts |> Array.map (fun struct (_, tangents, _) -> tangents)
        let last = parts |> Array.map (fun struct (_, _, last) -> last)
        let results = Interpreter.Bind(primitive, primals)
        let nothing = results |> Array.map (fun _ -> struct (ValueNone, ValueNone))

        let along =
            if tangents |> Array.exists _.IsSome then
                propagate primitive primals results tangents
            else
                nothing

        let linear =
            if last |> Array.exists _.IsSome then
                primitive.Jvp(primals, results, last)
            else
                results |> Array.map (fun _ -> ValueNone)

        Array.map3
            (fun result (struct (own, source)) linear -> this.Join(result, own, Tangent.add linear source))
            results
            along
            linear

    /// The value and the Laplacian of f at x.
    member this.Laplacian (f: Tensor -> Tensor) (x: Tensor) : Tensor * Tensor =
        let ones = x.Fill(Array.append [| 1 |] x.Signature.Shape, 1.0)
        let own = { Stack = ones; Axes = ValueSome [| 0 .. x.Size - 1 |] }
        let struct (value, _, last) = this.Split(this.Run(fun () -> f (this.Join(x, ValueSome own, ValueNone))))
        value, last |> Tangent.map (fun half -> half * 2.0) |> Tangent.orZeros value

module internal ForwardLaplacian =

    /// The value and the Laplacian of f at x, which is not empty, along all axes at once; nothing where that would take
    /// too much memory.
    let tryAt (f: Tensor -> Tensor) (x: Tensor) : (Tensor * Tensor) voption =
        try
            ValueSome(LaplacianInterpreter(Interpreter.CurrentDepth + 1, x.Size).Laplacian f x)
        with SparsityLostException ->
            ValueNone
