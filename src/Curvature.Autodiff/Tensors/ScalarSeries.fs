namespace Curvature

open System.Collections.Generic
open Curvature.Kernels

/// The Taylor coefficients of an elementwise function along a curve. Sums, products and quotients have their rules
/// (Leibniz). Every other function y of x₁, x₂ … has y′ = Σ ∂ᵢy·xᵢ′ with partial derivatives from the table of
/// derivatives, so that k·y_k = Σᵢ Σ_{j=1…k} j·xᵢⱼ·(∂ᵢy)_{k−j}; the partial derivatives are expressions whose
/// coefficients follow in the same way (Griewank & Walther 2008, "Evaluating Derivatives", section 13.2). Equal
/// expressions are one node, and a coefficient is computed once, so that order K takes about K² operations.
[<Sealed>]
type internal ScalarSeries(op: OpCode, primals: Tensor[], result: Tensor, coefficients: Coefficients[]) =
    /// A function and its operands for each node after the arguments; a number for a constant.
    let functions = List<struct (OpCode * int[])>()
    let numbers = Dictionary<int, float>()
    let known = Dictionary<struct (OpCode * int * int * int), int>()
    let knownNumbers = Dictionary<float, int>()
    let memory = Dictionary<struct (int * int), Tensor voption>()
    let arity = primals.Length

    let add op (operands: int[]) =
        functions.Add(struct (op, operands))
        arity + functions.Count - 1

    let functionOf op (operands: int[]) =
        let operand i = if i < operands.Length then operands[i] else -1
        let key = struct (op, operand 0, operand 1, operand 2)

        match known.TryGetValue key with
        | true, id -> id
        | _ ->
            let id = add op operands
            known[key] <- id
            id

    let constant (value: float) =
        match knownNumbers.TryGetValue value with
        | true, id -> id
        | _ ->
            let id = add OpCode.Add [||]
            numbers[id] <- value
            knownNumbers[value] <- id
            id

    /// The node of an expression in the arguments and the result of the node `self`.
    let rec resolve (self: int) (operands: int[]) (expression: Scalar) : int =
        match expression with
        | Number value -> constant value
        | Argument i -> operands[i]
        | Result -> self
        | Apply(op, inner) -> functionOf op (inner |> List.map (resolve self operands) |> List.toArray)

    let root = functionOf op [| 0 .. arity - 1 |]

    let timesNumber (value: float) (t: Tensor voption) : Tensor voption =
        match value with
        | 1.0 -> t
        | -1.0 -> t |> Tangent.map (fun t -> -t)
        | _ -> t |> Tangent.map (fun t -> t * value)

    let rec value (id: int) : Tensor = (coefficient id 0).Value

    /// Coefficient k of a node; 0 is its value.
    and coefficient (id: int) (k: int) : Tensor voption =
        if id < arity then
            if k = 0 then ValueSome primals[id] else coefficients[id][k - 1]
        elif id = root && k = 0 then
            ValueSome result
        else
            match memory.TryGetValue(struct (id, k)) with
            | true, found -> found
            | _ ->
                let found = compute id k
                memory[struct (id, k)] <- found
                found

    and compute (id: int) (k: int) : Tensor voption =
        let struct (op, operands) = functions[id - arity]

        match numbers.TryGetValue id with
        | true, number -> if k = 0 then ValueSome(result.FillLike number) else ValueNone
        | _ when k = 0 -> ValueSome(Tensor.Apply(op, operands |> Array.map value))
        | _ ->
            let operand i = coefficient operands[i]

            match op with
            | OpCode.Add -> Tangent.add (operand 0 k) (operand 1 k)
            | OpCode.Subtract -> Tangent.add (operand 0 k) (timesNumber -1.0 (operand 1 k))
            | OpCode.Negate -> timesNumber -1.0 (operand 0 k)
            | OpCode.Multiply -> product operands[0] operands[1] k
            | OpCode.MultiplyAdd -> Tangent.add (product operands[0] operands[1] k) (operand 2 k)
            | OpCode.Divide ->
                // b·y = a, and so b₀·y_k = a_k − Σ_{i=1…k} bᵢ·y_{k−i}.
                let lower i = if i = 0 then ValueNone else operand 1 i
                let known = Taylor.product (fun b y -> b * y) lower (coefficient id) k
                Tangent.add (operand 0 k) (timesNumber -1.0 known) |> Tangent.map (fun t -> t / value operands[1])
            | OpCode.Select ->
                match operand 1 k, operand 2 k with
                | ValueNone, ValueNone -> ValueNone
                | a, b ->
                    let branch t = Tangent.orZeros result t
                    ValueSome(Tensor.Apply(op, value operands[0], branch a, branch b))
            | _ -> byDerivative id op operands k

    /// Σ aᵢ·b_{k−i}, where a square needs half of its products.
    and product (a: int) (b: int) (k: int) : Tensor voption =
        match numbers.TryGetValue a, numbers.TryGetValue b with
        | (true, number), _ -> timesNumber number (coefficient b k)
        | _, (true, number) -> timesNumber number (coefficient a k)
        | _ when a <> b -> Taylor.product (fun x y -> x * y) (coefficient a) (coefficient b) k
        | _ ->
            let below i = if 2 * i < k then coefficient a i else ValueNone
            let twice = Taylor.product (fun x y -> x * y) below (coefficient a) k |> timesNumber 2.0

            match k % 2, coefficient a (k / 2) with
            | 0, ValueSome middle -> Tangent.add twice (ValueSome(middle * middle))
            | _ -> twice

    and byDerivative (id: int) (op: OpCode) (operands: int[]) (k: int) : Tensor voption =
        let mutable sum = ValueNone

        ScalarFunction.partials op
        |> List.iteri (fun i partial ->
            if partial <> Number 0.0 && [ 1..k ] |> List.exists (fun j -> (coefficient operands[i] j).IsSome) then
                let slope = resolve id operands partial

                for j in 1..k do
                    match coefficient operands[i] j with
                    | ValueNone -> ()
                    | ValueSome x ->
                        let term =
                            match numbers.TryGetValue slope with
                            | true, number -> if j = k then timesNumber number (ValueSome x) else ValueNone
                            | _ -> coefficient slope (k - j) |> Tangent.map (fun p -> x * p)

                        sum <- Tangent.add sum (timesNumber (float j / float k) term))

        sum

    /// The coefficients of the result.
    member _.Coefficients: Coefficients = Array.init coefficients[0].Length (fun k -> coefficient root (k + 1))
